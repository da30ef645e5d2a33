/**
 * The Signal bot as its operator runs it, each part a process that a test kills and starts again: edge, relay, node, the
 * receiver beside the node, the REST server (our stand-in for it, with Signal's servers and people's telephones), Redis.
 * The model is the test's.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { signalReportSchema, type SignalReport } from "../../tee-bot/control/signal-messages.ts";
import type { ControlFile } from "../../tee-bot/control/status.ts";
import { startFleetProcesses, type FleetProcesses } from "./fleet-processes.ts";
import { Phones } from "./phones.ts";
import { freePort, root, stopProcess } from "./postern.ts";
import { startRedis, type Redis } from "./redis.ts";
import type { Upstream } from "./upstream/upstream.ts";

const alias = "bot";
const startMs = 60_000;
const answerMs = 30_000;
const hookPassword = "the-hook-of-this-test";

export interface SignalWorldOptions {
  /** Who answers. */
  readonly upstream: Upstream;
  /** Of the node's `signal:`, besides what joins the parts. */
  readonly signal?: Readonly<Record<string, unknown>>;
  readonly gateway?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
}

export type Part = "node" | "receiver" | "signal" | "redis" | "edge";

export async function startSignalWorld(options: SignalWorldOptions): Promise<SignalWorld> {
  const world = new SignalWorld(options, {
    fleet: await startFleetProcesses({ labels: ["a"] }),
    redis: await startRedis(),
    signalPort: await freePort(),
    hookPort: await freePort(),
  });
  try {
    await world.startAll();
    return world;
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

interface Parts {
  readonly fleet: FleetProcesses;
  readonly redis: Redis;
  readonly signalPort: number;
  readonly hookPort: number;
}

export class SignalWorld implements AsyncDisposable {
  readonly #options: SignalWorldOptions;
  readonly #parts: Parts;
  readonly #directory = mkdtempSync(join(tmpdir(), "postern-signal-"));
  readonly #children = new Map<Part, ChildProcess>();
  /** What the processes have said on stderr. */
  said = "";

  constructor(options: SignalWorldOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** The node's state. */
  get state(): string {
    return this.#parts.fleet.stateOf(alias);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#parts.signalPort}`;
  }

  pid(part: "node" | "receiver" | "signal"): number {
    return this.#children.get(part)?.pid ?? 0;
  }

  /** Of the people. */
  get phones(): Phones {
    return new Phones(this.url);
  }

  get redis(): Redis {
    return this.#parts.redis;
  }

  async startAll(): Promise<void> {
    this.#configure();
    await this.#parts.fleet.startRelay("a");
    await this.start("signal");
    await this.start("receiver");
    await this.start("node");
  }

  async start(part: Part): Promise<void> {
    const { fleet, redis, signalPort, hookPort } = this.#parts;
    switch (part) {
      case "edge":
        return fleet.startEdge();
      case "redis":
        return redis.start();
      case "signal": {
        const hook = `http://postern:${hookPassword}@127.0.0.1:${hookPort}/hooks/signal`;
        const flags = ["--port", String(signalPort), "--hook", hook, "--state", join(this.#directory, "signal")];
        return this.#fork("signal", ["signal", "simulate", ...flags], "ready");
      }
      case "receiver":
        return this.#fork("receiver", ["signal", "receive", "--state", this.state], "ready");
      case "node": {
        const flags = ["--edge", fleet.edge, "--alias", alias, "--state", this.state];
        const ports = ["--gateway-port", "0", "--control-port", "0"];
        return this.#fork("node", ["start", ...flags, ...ports], "status");
      }
    }
  }

  /** Ends it as kill -9 does. */
  async kill(part: Part): Promise<void> {
    if (part === "edge") return this.#parts.fleet.killEdge();
    if (part === "redis") return this.redis.kill();
    const child = this.#children.get(part);
    if (child) await stopProcess(child, "SIGKILL");
  }

  /** Asks a part to end, and waits for it. */
  async stop(part: "node" | "receiver" | "signal"): Promise<void> {
    const child = this.#children.get(part);
    if (child) await stopProcess(child, "SIGTERM");
  }

  /** What the bot says of itself to its operator. */
  async report(): Promise<SignalReport> {
    return signalReportSchema.parse(await (await this.#control("/v1/signal")).json());
  }

  /** Of the node's gateway. */
  async metrics(): Promise<string> {
    const status = await this.#control("/v1/status");
    const { gateway } = (await status.json()) as { gateway: string };
    return (await fetch(`${gateway}/metrics`, { signal: AbortSignal.timeout(answerMs) })).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.values()) await stopProcess(child, "SIGKILL");
    await this.redis[Symbol.asyncDispose]();
    await this.#parts.fleet[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #control(path: string): Promise<Response> {
    const { url, token } = JSON.parse(readFileSync(join(this.state, "control.json"), "utf8")) as ControlFile;
    const signal = AbortSignal.timeout(answerMs);
    return fetch(url + path, { headers: { authorization: `Bearer ${token}` }, signal });
  }

  #configure(): void {
    const { upstream, signal, gateway } = this.#options;
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.state, "hook-password"), `${hookPassword}\n`, { mode: 0o600 });
    const settings = {
      gateway: {
        discovery: { ollama: "off", lmStudio: "off" },
        embedded: { demo: false },
        providers: [{ kind: "openai", id: "workshop", url: upstream.baseUrl }],
        ...gateway,
      },
      signal: {
        api: this.url,
        history: { mode: "durable" },
        ...signal,
        receive: {
          by: "own-process",
          port: this.#parts.hookPort,
          secretFile: "hook-password",
          ...(signal?.["receive"] as object | undefined),
        },
      },
    };
    writeFileSync(join(this.state, "postern.yaml"), stringify(settings));
  }

  /** Resolves when it says that it is ready; a node, when it says anything. */
  #fork(part: Part, args: readonly string[], ready: "ready" | "status"): Promise<void> {
    const child = fork(join(root, "tee-bot/cli/main.ts"), args, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, LOG_LEVEL: "info", REDIS_URL: this.redis.url, ...this.#options.environment },
    });
    this.#children.set(part, child);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.said += text));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The ${part} was not ready in time.\n${this.said}`)), startMs);
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      child.on("message", (message: object) => ready in message && settle());
      child.once("exit", (code) => settle(new Error(`The ${part} ended with exit code ${code}.\n${this.said}`)));
    });
  }
}
