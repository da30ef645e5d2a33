/** The whole system on this machine: one edge, one relay and one node, each a process of its own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { buildWorker } from "../build-worker.ts";
import { readOrCreateLocalCa } from "../local-ca.ts";
import { projectRoot } from "../wrangler.ts";
import { readOrCreateApiKey } from "./api-key.ts";
import { Child, type ChildOptions } from "./child.ts";
import { edgeVars, trustOf } from "./edge-vars.ts";
import type { AcmeOptions, LaunchOptions } from "./options.ts";
import { findFree } from "./ports.ts";
import type { Progress } from "./progress.ts";
import type { Run, SimulatedTee } from "./run-file.ts";
import { planSignal } from "./signal.ts";
import { choosePorts } from "./stack-ports.ts";

export interface Stack {
  /** As it is now; the process ids change when a process is restarted. */
  readonly run: Run;
  /** The relay's metrics, on a port of its own choice. */
  readonly metrics: string;
  /** What is behind the name, as `postern expose` takes it. */
  readonly target: string;
  /** Ends the processes, node first. Takes less than 5 s. */
  stop(): Promise<void>;
}

export interface StackOptions {
  options: LaunchOptions;
  progress: Progress;
  /** Ends the wait for a stack that is still coming up. */
  signal: AbortSignal;
  /** A process was started again, after the stack was up. */
  onRestart: (run: Run) => void;
}

const stepTimeoutMs = 60_000;
/** A CA and the DNS may take their time for the first certificate. */
const acmeTimeoutMs = 30 * 60_000;
const stopGraceMs = 4_000;
/** As `postern start` documents them: settings that cannot be used, and a name that another process has taken. */
const finalExitCodes = [2, 3];

const teeSchema = z.object({ simulated: z.literal(true), socket: z.string(), root: z.string(), pcs: z.string() });
const readyMessageSchema = z.object({
  ready: z.literal(true),
  privatePort: z.int().optional(),
  tee: teeSchema.optional(),
});
const nodeMessageSchema = z.object({
  status: z.object({
    node: z.string(),
    url: z.string().nullable(),
    hostnames: z.array(z.string()),
    target: z.string(),
    gateway: z.string(),
    health: z.object({
      status: z.string(),
      steps: z.array(z.object({ step: z.string(), ok: z.boolean(), detail: z.string() })),
    }),
  }),
});
type NodeView = z.infer<typeof nodeMessageSchema>["status"];

/** Starts everything and resolves when a call to the public name, through the relay, reached the node's own key. */
export async function startStack({ options, progress, signal, onRestart }: StackOptions): Promise<Stack> {
  const { state, zone, alias, acme } = options;
  const vars = edgeVars(options, process.env);
  const trust = trustOf(options);
  const children = new Map<string, Child>();
  let up = false;
  let stopping = false;
  let key = "";
  let node: NodeView | undefined;
  let metricsPort: number | undefined;
  let tee: SimulatedTee | undefined;

  mkdirSync(join(state, "log"), { recursive: true, mode: 0o700 });
  const ports = await choosePorts(options, progress);
  const bot = options.signal && planSignal({ state, ports });
  const ca = acme
    ? issuerOf(acme, join(state, "node"))
    : await progress.step("development CA", async () => {
        const { certificatePath } = await readOrCreateLocalCa(join(state, "ca"), zone);
        return certificatePath;
      });
  const relayIdentity = join(state, "relay", "identity.pem");
  const relay = await readOrCreateIdentity(relayIdentity, Date.now());
  const bundle = await progress.step("edge built", () =>
    buildWorker({ outDir: join(projectRoot, "node_modules", ".cache", "postern", "edge"), signal }),
  );

  try {
    await progress.step(`edge at http://127.0.0.1:${ports.edge}`, () =>
      started("edge", ["scripts/edge-process.ts"], {
        EDGE_PORT: String(ports.edge),
        EDGE_STATE: join(state, "edge"),
        EDGE_BUNDLE: bundle,
        EDGE_VARS: JSON.stringify({ ...vars, RELAY_KEYS: relay.id }),
        ...(!acme && { EDGE_CA_DIR: join(state, "ca") }),
        ...trust,
      }),
    );
    await progress.step(`relay at port ${ports.visitors}`, () =>
      started("relay", ["relay/main.ts"], {
        RELAY_EDGE_URL: `http://127.0.0.1:${ports.edge}`,
        RELAY_ZONE: zone,
        RELAY_LISTEN_HOST: "127.0.0.1",
        RELAY_PORT: String(ports.visitors),
        RELAY_PRIVATE_PORT: "0",
        RELAY_DRAIN_MS: "2000", // nobody is waiting for this machine
        RELAY_PUBLIC_HOST: "127.0.0.1",
        RELAY_DNS_SERVERS: "off", // visitors of this machine find it without
        RELAY_IDENTITY_FILE: relayIdentity,
        RELAY_STATE_DIR: join(state, "relay"),
      }),
    );
    if (options.tee) {
      const collateral = String(await findFree()); // the same after a restart: the node is told of it once
      await progress.step("simulated TEE, which proves nothing", () =>
        started("tee", ["tee-bot/cli/main.ts", "tee", "simulate", "--state", state, "--pcs-port", collateral]),
      );
    }
    if (bot) {
      // Before the node: whoever comes first makes the key that the mail is sealed with.
      await progress.step("receiver of the bot's mail", () =>
        started("receiver", ["tee-bot/cli/main.ts", "signal", "receive"], {
          POSTERN_EDGE: `http://127.0.0.1:${ports.edge}`,
          POSTERN_STATE: join(state, "node"),
          ...bot.vars,
          ...(tee && teeVars(tee)),
        }),
      );
      await progress.step(`simulated Signal at ${bot.url}`, () =>
        started("signal", ["tee-bot/cli/main.ts", ...bot.simulate], bot.simulateVars),
      );
    }
    await progress.step(`node behind ${alias}.${zone}`, () =>
      started("node", ["tee-bot/cli/main.ts", "start"], {
        POSTERN_EDGE: `http://127.0.0.1:${ports.edge}`,
        POSTERN_STATE: join(state, "node"),
        POSTERN_ALIAS: alias,
        POSTERN_ACME_ACCOUNT: acme?.account ?? "edge",
        ...trust,
        POSTERN_EXPOSE: options.expose ?? "",
        POSTERN_GATEWAY_PORT: String(ports.gateway),
        POSTERN_CONTROL_PORT: String(ports.control),
        ...(tee && teeVars(tee)),
        ...bot?.vars,
      }),
    );
    const control = join(state, "node", "control.json");
    key = await readOrCreateApiKey({ control, path: join(state, "npm-start-key.json"), signal });
  } catch (error) {
    await stop();
    throw error;
  }
  up = true;
  return {
    get run() {
      return run();
    },
    get metrics() {
      return `http://127.0.0.1:${metricsPort}/metrics`;
    },
    get target() {
      return node?.target ?? "gateway";
    },
    stop,
  };

  /** Starts a process and waits until it says that it is ready; the node is when its name answers. */
  function started(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted(); // between two steps nobody heard it
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        if (error) reject(error);
        else resolve();
      };
      const onAbort = (): void => settle(new Error("stopped"));
      const timeoutMs = name === "node" && acme ? acmeTimeoutMs : stepTimeoutMs;
      const onTimeout = (): void =>
        settle(new Error(`The ${name} is not ready after ${timeoutMs / 1000} s.${missing(node)}`));
      const timer = setTimeout(onTimeout, timeoutMs);
      signal.addEventListener("abort", onAbort, { once: true });
      const child: ChildOptions = {
        name,
        args: args.map((arg) => (arg.endsWith(".ts") ? join(projectRoot, arg) : arg)),
        env,
        logFile: join(state, "log", `${name}.log`),
        finalExitCodes,
        onStart: () => up && onRestart(run()),
        onMessage: (message) => {
          const ready = readyMessageSchema.safeParse(message);
          if (ready.success) {
            metricsPort = ready.data.privatePort ?? metricsPort;
            tee = ready.data.tee ?? tee;
            settle();
          }
          const told = nodeMessageSchema.safeParse(message);
          if (!told.success) return;
          const before = certificateWords(node);
          const wasWell = node?.health.status === "healthy";
          node = told.data.status;
          if (up && !stopping && wasWell && node.health.status !== "healthy")
            progress.note(`the node is ${node.health.status}${missing(node)}`);
          const words = certificateWords(node);
          if (!up && acme && words !== before && words !== undefined) progress.note(words);
          if (node.health.steps.every(({ ok }) => ok)) settle();
        },
        onCrash: ({ how, restartInMs, lastLines }) => {
          if (restartInMs === undefined && !up) return settle(new Error(`The ${name} ended:\n${lastLines}`));
          const next = restartInMs === undefined ? "and is left so" : "and is started again";
          progress.note(`the ${name} ended (${how}) ${next}${up ? "" : `\n${lastLines}`}`);
        },
      };
      children.set(name, new Child(child));
    });
  }

  function run(): Run {
    const pid = (name: string): number => children.get(name)?.pid ?? 0;
    return {
      ready: true,
      zone,
      edge: `http://127.0.0.1:${ports.edge}`,
      relay: { host: "127.0.0.1", port: ports.visitors },
      node: { id: node?.node ?? "", url: node?.url ?? "", hostnames: node?.hostnames ?? [], key },
      gateway: node?.gateway ?? "",
      ca,
      state,
      ...(tee && { tee }),
      ...(bot && { signal: { url: bot.url } }),
      pids: {
        edge: pid("edge"),
        relay: pid("relay"),
        node: pid("node"),
        ...(tee && { tee: pid("tee") }),
        ...(bot && { signal: pid("signal"), receiver: pid("receiver") }),
      },
    };
  }

  async function stop(): Promise<void> {
    stopping = true;
    const deadline = Date.now() + stopGraceMs;
    // Nothing new comes in; the node gives its name back while the edge still listens; the others need nobody.
    for (const name of ["signal", "receiver", "node", "relay", "edge", "tee"])
      await children.get(name)?.stop(Math.max(200, deadline - Date.now()));
  }
}

function teeVars({ socket, pcs }: SimulatedTee): Record<string, string> {
  return {
    POSTERN_ATTESTATION_TEE: "simulated",
    POSTERN_ATTESTATION_SOCKET: socket,
    POSTERN_ATTESTATION_COLLATERAL: pcs,
  };
}

/** Where the certificate that a client needs is: null when the CA is one that every client trusts. */
function issuerOf(acme: AcmeOptions, nodeState: string): string | null {
  return acme.ca === undefined ? null : join(nodeState, "issuer-chain.pem");
}

/** What the node waits for, as long as it has no certificate. */
function certificateWords(node: NodeView | undefined): string | undefined {
  return node?.health.steps.find(({ step, ok }) => step === "certificate" && !ok)?.detail;
}

function missing(node: NodeView | undefined): string {
  const undone = node?.health.steps.filter(({ ok }) => !ok) ?? [];
  return undone.map(({ step, detail }) => `\n  ${step}: ${detail}`).join("");
}
