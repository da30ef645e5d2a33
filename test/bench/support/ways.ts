/** The ways from a client to one and the same server that are compared, all running at once on loopback. */
import { execFileSync, fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, startPostern } from "../../support/postern.ts";
import { serverName } from "./load.ts";

const startMs = 10_000;

/**
 * `twice`: one HAProxy behind another, as many hops as Postern has with its relay and its node.
 * `terminated`: Postern with TLS ending in the node, which passes requests on as HTTP.
 */
export type WayName = "direct" | "haproxy" | "twice" | "postern" | "terminated";

export interface Way {
  readonly name: WayName;
  /** Where its visitors connect. */
  readonly port: number;
  /** What stands between client and server. */
  readonly relay: number | undefined;
  readonly node: number | undefined;
}

export interface Ways extends AsyncDisposable {
  readonly all: Readonly<Record<WayName, Way>>;
  readonly backend: number;
}

export async function startWays(directory: string): Promise<Ways> {
  await using stack = new AsyncDisposableStack();
  const backend = await startBackend(directory);
  stack.defer(() => stop(backend.process));
  const haproxy = await startHaproxy(directory, backend.tlsPort);
  stack.defer(() => stop(haproxy.process));
  const first = await startHaproxy(directory, haproxy.port);
  stack.defer(() => stop(first.process));
  const passed = stack.use(await startPostern({ args: ["--expose", `tls://127.0.0.1:${backend.tlsPort}`] }));
  const terminated = stack.use(await startPostern({ args: ["--expose", `http://127.0.0.1:${backend.plainPort}`] }));

  const none = { relay: undefined, node: undefined };
  const ofStack = ({ run }: typeof passed): Omit<Way, "name"> => ({
    port: run.relay.port,
    relay: run.pids.relay,
    node: run.pids.node,
  });
  const running = stack.move();
  return {
    all: {
      direct: { name: "direct", port: backend.tlsPort, ...none },
      haproxy: { name: "haproxy", port: haproxy.port, relay: haproxy.process.pid, node: undefined },
      twice: { name: "twice", port: first.port, relay: first.process.pid, node: haproxy.process.pid },
      postern: { name: "postern", ...ofStack(passed) },
      terminated: { name: "terminated", ...ofStack(terminated) },
    },
    backend: backend.process.pid ?? 0,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startBackend(directory: string) {
  mkdirSync(directory, { recursive: true });
  const [certificate, key] = [join(directory, "backend.pem"), join(directory, "backend.key")];
  const subject = ["-subj", `/CN=${serverName}`, "-days", "2", "-nodes", "-keyout", key, "-out", certificate];
  const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  execFileSync("openssl", ["req", "-x509", ...ecKey, ...subject], { stdio: "ignore" });
  const child = fork(join(import.meta.dirname, "backend.ts"), [certificate, key]);
  const [ports] = (await once(child, "message", { signal: AbortSignal.timeout(startMs) })) as [
    { tlsPort: number; plainPort: number },
  ];
  return { process: child, ...ports };
}

/** Passes TLS through by SNI as Postern's relay does, in one thread. */
async function startHaproxy(directory: string, serverPort: number) {
  const port = await freePort();
  const path = join(directory, `haproxy-${port}.cfg`);
  writeFileSync(
    path,
    `global
  nbthread 1
  maxconn 7000
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 15m
  timeout server 15m
frontend visitors
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend service if { req.ssl_sni -i ${serverName} }
backend service
  server one 127.0.0.1:${serverPort}
`,
  );
  const child = spawn("haproxy", ["-db", "-f", path], { stdio: ["ignore", "ignore", "inherit"] });
  await listens(port, child);
  return { process: child, port };
}

/** Resolves when the process listens there. */
async function listens(port: number, child: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(startMs);
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      signal.throwIfAborted();
      if (child.exitCode !== null) throw new Error(`haproxy ended with exit code ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      socket.destroy();
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
