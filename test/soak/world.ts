/**
 * The whole system as processes: a real edge, three relays, four nodes with services behind them, one with its own TLS.
 * Visitors of the third relay's nodes come over a box on the way that can reset every tunnel at once.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { letsAllPass, startMiddlebox, type Middlebox } from "../support/middlebox.ts";
import { freePort, root } from "../support/postern.ts";
import { Member, type NodeStatus } from "./member.ts";
import { startSoakService, type SoakService } from "./service.ts";

export const zone = "postern.localhost";

export interface SoakRelay {
  readonly label: string;
  readonly member: Member;
  readonly port: number;
  readonly privatePort: number;
  /** Between it and its nodes, where there is one. */
  readonly box: Middlebox | undefined;
}

export interface SoakNode {
  readonly label: string;
  readonly member: Member;
  readonly hostname: string;
  /** TLS ends in the service behind it. */
  readonly tls: boolean;
  /** What it said last. */
  readonly status: NodeStatus | undefined;
}

export interface SoakWorld extends AsyncDisposable {
  readonly edge: Member;
  readonly relays: readonly SoakRelay[];
  readonly nodes: readonly SoakNode[];
  readonly members: readonly Member[];
  /** What visitors trust, PEM. */
  readonly ca: string;
}

export interface WorldOptions {
  /** For state and logs. */
  readonly directory: string;
  /** Worker threads of each relay, where not one. */
  readonly workers: readonly number[];
  readonly onIncident: (words: string) => void;
}

export const drainMs = 15_000;
const drainQuietMs = 1_000;
/** Shorter than usual, so that an hour sees more; a lease must outlast an edge that is away for some seconds. */
const edgeVars = { ZONE: zone, LEASE_MS: "30000", RELAY_HEARTBEAT_MS: "3000" };
const relayLabels = ["relay-a", "relay-b", "relay-c"];
const nodeKinds = [
  { label: "node-1", tunnel: "auto", tls: false },
  { label: "node-2", tunnel: "pool", tls: true },
  { label: "node-3", tunnel: "tls", tls: false },
  { label: "node-4", tunnel: "http2", tls: false },
] as const;

/** Rejects when a process does not start. */
export async function startWorld({ directory, workers, onIncident }: WorldOptions): Promise<SoakWorld> {
  const stack = new AsyncDisposableStack();
  try {
    mkdirSync(join(directory, "log"), { recursive: true });
    const logFile = (label: string): string => join(directory, "log", `${label}.log`);
    const { certificatePem: ca } = await readOrCreateLocalCa(join(directory, "ca"), zone);
    const edgePort = await freePort();
    const edgeUrl = `http://127.0.0.1:${edgePort}`;
    const member = (options: Omit<ConstructorParameters<typeof Member>[0], "logFile" | "onIncident">): Member => {
      const created = new Member({ ...options, logFile: logFile(options.label), onIncident });
      stack.defer(async () => void (await created.end("SIGKILL")));
      return created;
    };

    const identityFile = (label: string): string => join(directory, `${label}.pem`);
    const keys = await Promise.all(
      relayLabels.map((label) => readOrCreateIdentity(identityFile(label), Date.now()).then(({ id }) => id)),
    );
    const edge = member({
      label: "edge",
      script: "scripts/edge-process.ts",
      env: {
        EDGE_PORT: String(edgePort),
        EDGE_STATE: join(directory, "edge"),
        EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
        EDGE_VARS: JSON.stringify({ ...edgeVars, RELAY_KEYS: keys.join(",") }),
        EDGE_CA_DIR: join(directory, "ca"),
      },
    });
    await edge.start();

    const relays: SoakRelay[] = [];
    for (const [at, label] of relayLabels.entries()) {
      const [port, privatePort] = [await freePort(), await freePort()];
      const box = at === relayLabels.length - 1 ? stack.use(await startMiddlebox(port, letsAllPass)) : undefined;
      const relay = member({
        label,
        script: "relay/main.ts",
        env: {
          RELAY_EDGE_URL: edgeUrl,
          RELAY_ZONE: zone,
          RELAY_NAME: `${label}.${zone}`,
          RELAY_LISTEN_HOST: "127.0.0.1",
          RELAY_PORT: String(port),
          RELAY_PUBLIC_HOST: "127.0.0.1",
          RELAY_PUBLIC_PORT: String(box?.port ?? port),
          RELAY_PRIVATE_PORT: String(privatePort),
          RELAY_IDENTITY_FILE: identityFile(label),
          RELAY_STATE_DIR: join(directory, label),
          RELAY_DRAIN_MS: String(drainMs),
          RELAY_DRAIN_QUIET_MS: String(drainQuietMs),
          RELAY_WORKERS: String(workers[at] ?? 1),
        },
      });
      await relay.start();
      relays.push({ label, member: relay, port, privatePort, box });
    }

    const nodes: (SoakNode & { status: NodeStatus | undefined })[] = [];
    for (const { label, tunnel, tls } of nodeKinds) {
      const service = stack.use(await startSoakService({ tls }));
      const state = join(directory, label);
      const flags = ["--edge", edgeUrl, "--alias", label, "--state", state, "--tunnel", tunnel];
      const target = `${tls ? "tls" : "http"}://127.0.0.1:${service.port}`;
      const node = {
        label,
        hostname: `${label}.${zone}`,
        tls,
        status: undefined as NodeStatus | undefined,
        member: member({
          label,
          script: "tee-bot/cli/main.ts",
          args: ["start", ...flags, "--expose", target, "--gateway-port", "0", "--control-port", "0"],
          env: {},
          onMessage: ({ status }) => {
            node.status = status ?? node.status;
            if (tls) lendCertificate(service, state);
          },
        }),
      };
      await node.member.start();
      nodes.push(node);
    }
    const members = [edge, ...relays.map(({ member: one }) => one), ...nodes.map(({ member: one }) => one)];
    const close = stack.move();
    return { edge, relays, nodes, members, ca, [Symbol.asyncDispose]: () => close.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** The service shows the node's own certificate, once there is one. */
function lendCertificate(service: SoakService, state: string): void {
  try {
    service.useCertificate({
      cert: readFileSync(join(state, "certificate.pem"), "utf8"),
      key: readFileSync(join(state, "tls.key"), "utf8"),
    });
  } catch {
    // not ordered yet; the next message comes with it
  }
}
