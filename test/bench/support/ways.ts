/** The ways from a client to one and the same server that are compared, all running at once on loopback. */
import type { Transport } from "../../../tee-bot/tunnel/transport.ts";
import { startPostern } from "../../support/postern.ts";
import { startBackend } from "./backend-process.ts";
import { startHaproxy } from "./haproxy.ts";
import { stop } from "./processes.ts";
import { startSshTunnel } from "./ssh-tunnel.ts";

/**
 * `pool`, `tls`, `http2`: through a relay to a tunnel that the server's own process has dialled, as a node in whose
 * process TLS ends; `exposed`: the whole product, with a node beside the server (`--expose tls://…`).
 */
export const wayNames = ["direct", "haproxy", "pool", "tls", "http2", "ssh", "exposed"] as const;
export type WayName = (typeof wayNames)[number];

export interface Way {
  readonly name: WayName;
  /** Where its visitors connect, and the name they ask for. */
  readonly port: number;
  readonly serverName: string;
  /** Process ids: what stands between client and server, and what stands beside the server. */
  readonly relay: number | undefined;
  readonly node: number | undefined;
}

export interface Ways extends AsyncDisposable {
  readonly all: Readonly<Record<WayName, Way>>;
  readonly backend: number;
}

/** What the development stack claims for its node. */
const exposedName = "demo.postern.localhost";

export async function startWays(directory: string): Promise<Ways> {
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await startBackend(directory, exposedName));
  const haproxy = await startHaproxy(directory, exposedName, backend.tlsPort);
  stack.defer(() => stop(haproxy.process));
  const ssh = stack.use(await startSshTunnel(directory, backend.tlsPort));
  const postern = stack.use(await startPostern({ args: ["--expose", `tls://127.0.0.1:${backend.tlsPort}`] }));
  const { run } = postern;

  const plain = { serverName: exposedName, relay: undefined, node: undefined };
  const ofRelay = { port: run.relay.port, relay: run.pids.relay, node: undefined };
  const openTunnel = async (transport: Transport): Promise<Way> => ({
    name: transport,
    ...ofRelay,
    serverName: await backend.openTunnel(run.edge, transport),
  });
  const all = {
    direct: { ...plain, name: "direct", port: backend.tlsPort },
    haproxy: { ...plain, name: "haproxy", port: haproxy.port, relay: haproxy.process.pid },
    pool: await openTunnel("pool"),
    tls: await openTunnel("tls"),
    http2: await openTunnel("http2"),
    ssh: { ...plain, name: "ssh", port: ssh.port, relay: ssh.server, node: ssh.client },
    exposed: { ...ofRelay, name: "exposed", serverName: exposedName, node: run.pids.node },
  } as const;
  const running = stack.move();
  return {
    all,
    backend: backend.process.pid ?? 0,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
