/** Starts the server that every way leads to, and has it dial the tunnels of some of them itself. */
import { execFileSync, fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { generateIdentityPem } from "../../../shared/nodejs/identity-file.ts";
import type { RelayEndpoint } from "../../../shared/registry/messages.ts";
import type { Transport } from "../../../tee-bot/tunnel/transport.ts";
import { createBenchNode } from "./bench-node.ts";
import { startMs, stop } from "./processes.ts";

export interface Backend extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly tlsPort: number;
  /** Opens a tunnel that ends in the server's own process, and resolves to its public name once visitors can come. */
  openTunnel(edge: string, transport: Transport): Promise<string>;
}

/** What the server is asked to dial. */
export interface TunnelOrder {
  readonly pem: string;
  readonly epoch: number;
  readonly relay: RelayEndpoint;
  readonly transport: Transport;
}

const certificateDays = "2";

export async function startBackend(directory: string, serverName: string): Promise<Backend> {
  mkdirSync(directory, { recursive: true });
  const [certificate, key] = [join(directory, "backend.pem"), join(directory, "backend.key")];
  const subject = ["-subj", `/CN=${serverName}`, "-days", certificateDays, "-nodes", "-keyout", key];
  const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  execFileSync("openssl", ["req", "-x509", ...ecKey, ...subject, "-out", certificate], { stdio: "ignore" });
  const child = fork(join(import.meta.dirname, "backend.ts"), [certificate, key]);
  const { tlsPort } = await answerOf<{ tlsPort: number }>(child);
  const renewals: NodeJS.Timeout[] = [];
  return {
    process: child,
    tlsPort,
    async openTunnel(edge, transport) {
      const pem = generateIdentityPem();
      const node = await createBenchNode(edge, { pem });
      const { epoch, hostnames, relays, renewAfterMs } = await node.register();
      const [relay] = relays;
      const [name] = hostnames;
      if (!relay || !name) throw new Error("the edge names no relay");
      const answer = answerOf<{ state: string }>(child);
      child.send({ pem, epoch, relay, transport } satisfies TunnelOrder);
      const { state } = await answer;
      if (state !== "up") throw new Error(`the tunnel over ${transport} is ${state}`);
      renewals.push(setInterval(() => void node.renew(epoch).catch(() => {}), renewAfterMs));
      return name;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of renewals) clearInterval(timer);
      await stop(child);
    },
  };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [answer] = (await once(child, "message", { signal: AbortSignal.timeout(startMs) })) as [T];
  return answer;
}
