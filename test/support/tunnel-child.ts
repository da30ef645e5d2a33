/**
 * A node's tunnel in a process of its own, so that a test can kill or freeze it. It greets each visitor with
 * {@link greeting} and then sends `stream` bytes more, without an end.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../shared/clock.ts";
import { silentLog } from "../../shared/log.ts";
import { identityOfPem } from "../../shared/nodejs/identity-file.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import type { TransportSetting } from "../../tee-bot/tunnel/transport.ts";
import { startTunnel } from "../../tee-bot/tunnel/tunnel.ts";

export const greeting = "welcome";

export interface ChildSettings {
  relay: RelayEndpoint;
  transport: TransportSetting;
  privateKeyPem: string;
  epoch: number;
  stream: number;
}

/** Resolves when the child's tunnel is up. */
export async function startTunnelChild(settings: ChildSettings): Promise<ChildProcess & { pid: number }> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(settings)], { stdio: "inherit" });
  await once(child, "message");
  return child as ChildProcess & { pid: number };
}

async function runChild({ relay, transport, privateKeyPem, epoch, stream }: ChildSettings): Promise<void> {
  process.once("disconnect", () => process.exit());
  startTunnel({
    relay,
    transport,
    identity: await identityOfPem(privateKeyPem, Date.now()),
    epoch,
    version: "test",
    clock: systemClock,
    log: silentLog,
    onVisitor: ({ socket }) => {
      socket.on("error", () => {});
      socket.resume();
      socket.write(greeting);
      socket.write(Buffer.alloc(stream));
    },
    onState: (state) => process.send?.(state),
  });
}

const settings = process.argv[2];
if (process.argv[1] === fileURLToPath(import.meta.url) && settings)
  await runChild(JSON.parse(settings) as ChildSettings);
