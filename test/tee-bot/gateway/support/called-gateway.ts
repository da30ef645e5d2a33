/** The gateway's calls before providers that the test names: real sockets on both sides, routing and limits left out. */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Pool } from "undici";
import { systemClock } from "../../../../shared/clock.ts";
import type { Access } from "../../../../tee-bot/gateway/access/access.ts";
import type { ShowReport } from "../../../../tee-bot/gateway/front.ts";
import { createGateway } from "../../../../tee-bot/gateway/gateway.ts";
import type { AnswerProof, Location, Provider } from "../../../../tee-bot/gateway/providers/provider.ts";
import type { ReceiptSigner } from "../../../../tee-bot/gateway/receipts/receipts.ts";
import type { Candidate, Permit, Route } from "../../../../tee-bot/gateway/routing/route.ts";
import { gatewaySettingsSchema, type GatewaySettings } from "../../../../tee-bot/gateway/settings.ts";
import type { AttemptRecord, TrackEnd } from "../../../../tee-bot/gateway/tracking/track.ts";
import type { HttpHandler } from "../../../../tee-bot/server/terminator.ts";
import { listenLocal } from "../../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../../tee-bot/server/local-http.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { recordingLog } from "../../support/log.ts";

/** One place of the route; the provider is named after its place: `first`, `second`… */
export interface TestCandidate extends Partial<
  Pick<Candidate, "attestation" | "checkAnswer" | "contextLength" | "holdsAnswers" | "model" | "observe">
> {
  readonly origin: string;
  readonly location?: Location;
  readonly headers?: readonly string[];
  /** Candidates with one provider share its name. */
  readonly provider?: string;
  /** How often an attempt is let through; without end, if not said. */
  readonly permits?: number;
}

export interface CalledGatewayOptions {
  readonly route: readonly TestCandidate[];
  readonly whole?: boolean;
  readonly settings?: Partial<Record<keyof GatewaySettings, object>>;
  readonly access?: Partial<Access>;
  readonly showReport?: ShowReport;
  readonly receiptSigner?: ReceiptSigner;
  /** Of back-off: 0 is the shortest. */
  readonly random?: () => number;
}

export interface CalledGateway {
  readonly port: number;
  readonly handler: (surface: "local" | "public") => HttpHandler;
  readonly log: ReturnType<typeof recordingLog>;
  /** What the breakers were told, in order: `first succeeded`, `first failed 1000`. */
  readonly verdicts: string[];
  /** Permits that were not given back. */
  readonly underWay: () => number;
  readonly attempts: AttemptRecord[];
  readonly ends: TrackEnd[];
  readonly proofs: AnswerProof[];
  readonly released: unknown[];
  ask(body: object | string | Buffer, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The connection ended before the answer did. */
  readonly broke: boolean;
}

const names = ["first", "second", "third", "fourth"];

export async function startCalledGateway(
  stack: AsyncDisposableStack,
  {
    route,
    whole = false,
    settings = {},
    access = {},
    random = () => 0,
    showReport,
    receiptSigner,
  }: CalledGatewayOptions,
): Promise<CalledGateway> {
  const log = recordingLog();
  const verdicts: string[] = [];
  const attempts: AttemptRecord[] = [];
  const ends: TrackEnd[] = [];
  const proofs: AnswerProof[] = [];
  const released: unknown[] = [];
  let underWay = 0;

  const providers = new Map<string, Provider>();
  const candidates = route.map((one, index): Candidate => {
    const id = one.provider ?? names[index]!;
    const provider = providers.get(id) ?? startProvider(stack, id, one);
    providers.set(id, provider);
    let left = one.permits ?? Infinity;
    const permit = (): Permit => {
      underWay++;
      return {
        succeeded: () => void verdicts.push(`${id} succeeded`),
        failed: (ms) => void verdicts.push(`${id} failed${ms === undefined ? "" : ` ${ms}`}`),
        abandoned: () => void verdicts.push(`${id} abandoned`),
        [Symbol.dispose]: () => void underWay--,
      };
    };
    return {
      provider,
      model: one.model ?? "",
      contextLength: one.contextLength,
      reason: "the test says so",
      ...(one.checkAnswer && { checkAnswer: one.checkAnswer }),
      ...(one.observe && { observe: one.observe, holdsAnswers: one.holdsAnswers === true }),
      admit: () => (left-- > 0 ? permit() : undefined),
    };
  });
  const gateway = createGateway({
    settings: gatewaySettingsSchema.parse(settings),
    directory: stack.use(temporaryFolder()).path,
    clock: systemClock,
    random,
    log,
    ...(showReport && { showReport }),
    receiptSigner,
    health: () => ({ status: "healthy", tee: "none", hostnames: [], steps: [] }),
    parts: {
      router: {
        route: ({ model }): Route => ({
          candidates: candidates.map((one) => (one.model === "" ? Object.assign({}, one, { model }) : one)),
          passedOver: [],
          whole,
        }),
      },
      access: {
        authenticate: () => ({ keyId: undefined, models: undefined }),
        admit: () => Promise.resolve({ queuedMs: 0, headers: [], release: (tokens) => void released.push(tokens) }),
        ...access,
      },
      tracker: {
        begin: () => ({
          keyed() {},
          queued() {},
          routed() {},
          attempted: (attempt) => void attempts.push(attempt),
          firstByte() {},
          proved: (proof) => void proofs.push(proof),
          end: (end) => void ends.push(end),
        }),
      },
    },
  });
  stack.use(gateway);
  const server = stack.use(await listenLocal(createLocalHttp(gateway.handler("local")), 0, "test"));
  return {
    port: server.port,
    handler: (surface) => gateway.handler(surface),
    log,
    verdicts,
    underWay: () => underWay,
    attempts,
    ends,
    proofs,
    released,
    ask: (body, options) => ask(server.port, body, options),
  };
}

function startProvider(
  stack: AsyncDisposableStack,
  id: string,
  { origin, location, headers }: TestCandidate,
): Provider {
  const dispatcher = new Pool(origin, { headersTimeout: 0, bodyTimeout: 0, connections: 256 });
  stack.defer(() => dispatcher.destroy());
  return {
    id,
    kind: "openai",
    location: location ?? "cloud",
    trust: "plain",
    upstream: { dispatcher, origin, basePath: "/v1", headers: headers ?? ["authorization", `Bearer key-of-${id}`] },
    fetchModels: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A chat call, unless the options say otherwise; what comes before a cut is in the answer too. */
export function ask(
  port: number,
  body: object | string | Buffer,
  { path = "/v1/chat/completions", method = "POST", headers = {} }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: false,
      headers: { "content-type": "application/json", ...headers },
    });
    sent.setTimeout(10_000, () => sent.destroy(new Error("timed out")));
    sent.once("error", reject);
    sent.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
      response.once("close", () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode = 0, complete } = response;
        resolve({ status: statusCode, headers: response.headers, bytes, text: bytes.toString(), broke: !complete });
      });
    });
    sent.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  });
}

export const chat = (model: string, more: object = {}): object => ({
  model,
  messages: [{ role: "user", content: "Who keeps the door?" }],
  ...more,
});
