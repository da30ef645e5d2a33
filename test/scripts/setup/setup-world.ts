/** What a setup meets: a zone at a stand-in of Cloudflare's API, a wrangler that only records, an edge that answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProgress } from "../../../scripts/launcher/progress.ts";
import { SetupFailure } from "../../../scripts/setup/failure.ts";
import { parseSetupOptions } from "../../../scripts/setup/options.ts";
import { noQuestions, type Questions } from "../../../scripts/setup/questions.ts";
import { setUpEdge } from "../../../scripts/setup/set-up-edge.ts";
import type { Clock } from "../../../shared/clock.ts";
import { startCloudflareApi, type CloudflareApi } from "../../support/dns/cloudflare-api.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import { startFaultyServer, type FaultyServer } from "../../support/faulty-server.ts";
import { WranglerRecorder } from "../../support/wrangler-recorder.ts";

export const zone = "nodes.example.com";
export const relayKey = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
export const firstRun = ["--zone", zone, "--relay-keys", relayKey, "--acme-contact", "ops@example.com"];

export interface Operator {
  args?: readonly string[];
  environment?: Record<string, string>;
  questions?: Questions;
}

/** What the edge says of itself. */
interface Look {
  readonly ok: boolean;
  readonly problems: string[];
}

export async function startSetupWorld(): Promise<SetupWorld> {
  const store = new ZoneStore(zone);
  const looks: Look[] = [{ ok: true, problems: [] }];
  const edge = await startFaultyServer({
    handle: () => {
      const look = looks.length > 1 ? looks.shift() : looks[0];
      const body = Buffer.from(JSON.stringify({ version: "0.1.0", zone, ...look }));
      return { status: look?.ok ? 200 : 503, headers: { "content-type": "application/json" }, body };
    },
  });
  return new SetupWorld({ store, cloudflare: await startCloudflareApi(store), edge, looks });
}

export class SetupWorld implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "postern-setup-"));
  readonly store: ZoneStore;
  readonly cloudflare: CloudflareApi;
  readonly edge: FaultyServer;
  readonly wrangler: WranglerRecorder;
  /** What the operator has seen. */
  shown = "";
  readonly #looks: Look[];

  constructor(parts: { store: ZoneStore; cloudflare: CloudflareApi; edge: FaultyServer; looks: Look[] }) {
    this.store = parts.store;
    this.cloudflare = parts.cloudflare;
    this.edge = parts.edge;
    this.#looks = parts.looks;
    const deployedAt = `http://127.0.0.1:${this.edge.port}`;
    this.wrangler = new WranglerRecorder(join(this.directory, "wrangler"), { deployedAt });
  }

  /** One look after the other; the last stays. */
  set looks(looks: Look[]) {
    this.#looks.splice(0, this.#looks.length, ...looks);
  }

  withToken(): Record<string, string> {
    return { CLOUDFLARE_API_TOKEN: this.cloudflare.token };
  }

  configPath(): string {
    return join(this.directory, "wrangler.production.toml");
  }

  /** What wrangler was told to do, without flags. */
  commands(): string[] {
    return this.wrangler.calls.map(({ args }) => {
      const flags = args.findIndex((arg) => arg.startsWith("--"));
      return args.slice(0, flags).join(" ");
    });
  }

  /** Runs the setup as an operator would; what to do next. */
  setUp({ args = firstRun, environment = this.withToken(), questions = noQuestions }: Operator = {}): Promise<string> {
    const options = parseSetupOptions(
      ["--cloudflare-api", this.cloudflare.url, "--wrangler", WranglerRecorder.program, ...args],
      "/",
    );
    if (!options) throw new Error("help was asked for");
    let now = 0;
    const clock: Clock = { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)) };
    return setUpEdge(options, {
      questions,
      progress: createProgress({ write: (text) => (this.shown += text), color: false, clock: () => 0 }),
      environment: { PATH: process.env["PATH"], ...this.wrangler.environment, ...environment },
      fetch,
      clock,
      signal: new AbortController().signal,
      configPath: this.configPath(),
      caDirectory: join(this.directory, "ca"),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.cloudflare[Symbol.asyncDispose](), this.edge[Symbol.asyncDispose]()]);
    rmSync(this.directory, { recursive: true });
  }
}

/** Rejects unless the setup fails as it should. */
export async function failureOf(setup: Promise<string>): Promise<SetupFailure> {
  const outcome: unknown = await setup.catch((error: unknown) => error);
  if (!(outcome instanceof SetupFailure)) throw new Error(`no failure: ${String(outcome)}`);
  return outcome;
}
