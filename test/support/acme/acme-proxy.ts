/**
 * A TLS proxy in front of Pebble that adds what a public CA has and Pebble lacks: ARI (RFC 9773), caaIdentities, a CAA
 * check, rate limits by injection; and every trouble of faults.ts. It keeps the Host header, so that the URLs in Pebble's
 * answers, which are signed by clients, lead through it. It cannot change certificates: a shorter lifetime is Pebble's
 * `validitySeconds`.
 */
import { Agent, request as httpsRequest } from "node:https";
import type { Answer, Fault, Faults } from "../faults.ts";
import { startFaultyServer, type Exchange } from "../faulty-server.ts";
import { refuseByCaa } from "./caa-policy.ts";
import type { CaaData } from "../dns/record-content.ts";
import { readAcmeRequest, type AcmeRequest } from "./jws.ts";
import { OrderBook, type SeenOrder } from "./order-book.ts";
import type { Pebble } from "./pebble.ts";

export interface RenewalWindow {
  readonly start: Date;
  readonly end: Date;
  readonly explanationUrl?: string;
  /** When the client is to ask again: 6 hours unless said. */
  readonly retryAfterSeconds?: number;
}

export interface AcmeProxy extends AsyncDisposable {
  /** URL of the directory, through the proxy. */
  readonly directory: string;
  readonly port: number;
  /** Kinds: directory newNonce newAccount account newOrder order authz challenge finalize certificate revoke keyChange renewalInfo. */
  readonly faults: Faults;
  /** Orders that the CA has accepted, the oldest first. */
  readonly orders: readonly SeenOrder[];
  /** The window of a certificate, by its ARI id; undefined for one that is unknown. Without this there is no ARI. */
  renewalInfo: ((certificateId: string) => RenewalWindow | undefined) | undefined;
  /** Told in the directory; none leaves `meta` as Pebble has it. */
  caaIdentities: readonly string[];
  /** The relevant CAA records of a name (RFC 8659 §3), looked at before an order is finalized. */
  caa: ((name: string) => readonly CaaData[]) | undefined;
}

/** An ACME problem (RFC 8555 §6.7) to be injected: `acmeFault("rateLimited", 429, { retryAfter: "120" })`. */
export function acmeFault(type: string, status: number, { detail = "Injected.", retryAfter = "" } = {}): Fault {
  return { kind: "answer", answer: problem(type, status, detail, retryAfter) };
}

/** `retryAfter` is seconds, or an HTTP date. */
export const rateLimited = (retryAfter: string): Fault =>
  acmeFault("rateLimited", 429, { detail: "too many new orders recently", retryAfter });

const forwardTimeoutMs = 30_000;
const defaultRetryAfterSeconds = 21_600;
const renewalInfoPath = "/renewal-info";

export async function startAcmeProxy(pebble: Pebble, { port = 0 } = {}): Promise<AcmeProxy> {
  const agent = new Agent({ ca: pebble.tls.root, keepAlive: true, servername: "localhost" });
  const proxy = new Proxied((exchange) => forward(exchange, pebble.port, agent));
  const { key, cert } = pebble.tls;
  const server = await startFaultyServer({
    port,
    tls: { key, cert },
    kindOf,
    handle: (exchange) => proxy.handle(exchange),
  });
  return Object.assign(proxy, {
    directory: `https://localhost:${server.port}/dir`,
    port: server.port,
    faults: server.faults,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      agent.destroy();
    },
  });
}

class Proxied {
  renewalInfo: AcmeProxy["renewalInfo"];
  caaIdentities: readonly string[] = [];
  caa: AcmeProxy["caa"];
  readonly #book = new OrderBook();
  readonly #forward: (exchange: Exchange) => Promise<Answer>;

  constructor(forwardTo: (exchange: Exchange) => Promise<Answer>) {
    this.#forward = forwardTo;
  }

  get orders(): readonly SeenOrder[] {
    return this.#book.orders;
  }

  async handle(exchange: Exchange): Promise<Answer> {
    const request = readAcmeRequest(exchange.body);
    const url = `https://${exchange.headers.host}${exchange.target}`;
    switch (kindOf(exchange)) {
      case "directory":
        return mapJson(await this.#forward(exchange), (directory) => this.#directory(directory, exchange));
      case "renewalInfo":
        return this.#renewalInfo(exchange.path);
      case "newOrder":
        return this.#newOrder(exchange, request);
      case "order":
        return mapJson(await this.#forward(exchange), (order) => withReplaces(order, this.#book.byUrl(url)));
      case "authz":
        return mapJson(await this.#forward(exchange), (authorization) => {
          this.#book.authorization(authorization);
          return authorization;
        });
      case "challenge":
        if (request?.payload) this.#book.accepted(url);
        return this.#forward(exchange);
      case "finalize":
        return this.#finalize(exchange, request, this.#book.byFinalize(url));
      case "newNonce":
      case "newAccount":
      case "account":
      case "certificate":
      case "revoke":
      case "keyChange":
      case undefined:
        return this.#forward(exchange);
    }
  }

  #directory(directory: Json, { headers }: Exchange): Json {
    const meta = directory["meta"] as Json | undefined;
    return {
      ...directory,
      ...(this.caaIdentities.length > 0 && { meta: { ...meta, caaIdentities: this.caaIdentities } }),
      ...(this.renewalInfo && { renewalInfo: `https://${headers.host}${renewalInfoPath}` }),
    };
  }

  /** RFC 9773 §4. */
  #renewalInfo(path: string): Answer {
    const window = this.renewalInfo?.(path.slice(renewalInfoPath.length + 1));
    if (!window) return problem("malformed", 404, "No certificate is known by this id.");
    const { start, end, explanationUrl, retryAfterSeconds = defaultRetryAfterSeconds } = window;
    return {
      status: 200,
      headers: { "content-type": "application/json", "retry-after": String(retryAfterSeconds) },
      body: JSON.stringify({
        suggestedWindow: { start: start.toISOString(), end: end.toISOString() },
        ...(explanationUrl !== undefined && { explanationURL: explanationUrl }),
      }),
    };
  }

  async #newOrder(exchange: Exchange, request: AcmeRequest | undefined): Promise<Answer> {
    const replaces = request?.payload?.["replaces"];
    if (typeof replaces === "string" && this.#book.isReplaced(replaces)) {
      return problem("alreadyReplaced", 409, `The certificate ${replaces} has been replaced already.`);
    }
    const answer = await this.#forward(exchange);
    const { location } = answer.headers;
    if (answer.status !== 201 || typeof location !== "string") return answer;
    return mapJson(answer, (order) => {
      this.#book.created(location, request?.kid, request?.payload ?? {}, order);
      return withReplaces(order, this.#book.byUrl(location));
    });
  }

  async #finalize(exchange: Exchange, request: AcmeRequest | undefined, order: SeenOrder | undefined): Promise<Answer> {
    for (const name of order?.names ?? []) {
      const base = name.replace(/^\*\./, "");
      const refusal = refuseByCaa(this.caa?.(base) ?? [], {
        identities: this.caaIdentities,
        accountUri: request?.kid,
        method: this.#book.methodOf(base),
        wildcard: base !== name,
      });
      if (refusal !== undefined) return problem("caa", 403, `${name}: ${refusal}`);
    }
    const answer = await this.#forward(exchange);
    if (order && answer.status === 200) order.finalized = true;
    return mapJson(answer, (value) => withReplaces(value, order));
  }
}

type Json = Readonly<Record<string, unknown>>;

/** RFC 9773 §5: the server reflects it in the order. */
const withReplaces = (order: Json, seen: SeenOrder | undefined): Json =>
  seen?.replaces === undefined || !("identifiers" in order) ? order : { ...order, replaces: seen.replaces };

function kindOf({ path }: Exchange): Kind | undefined {
  return kinds.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1];
}

/** Pebble's paths. */
const kinds = [
  ["/dir", "directory"],
  ["/nonce-plz", "newNonce"],
  ["/sign-me-up", "newAccount"],
  ["/my-account", "account"],
  ["/order-plz", "newOrder"],
  ["/my-order", "order"],
  ["/authZ", "authz"],
  ["/chalZ", "challenge"],
  ["/finalize-order", "finalize"],
  ["/certZ", "certificate"],
  ["/revoke-cert", "revoke"],
  ["/rollover-account-key", "keyChange"],
  [renewalInfoPath, "renewalInfo"],
] as const;

type Kind = (typeof kinds)[number][1];

function mapJson(answer: Answer, map: (value: Json) => Json): Answer {
  const type = String(answer.headers["content-type"] ?? "");
  if (answer.status >= 300 || !type.startsWith("application/json")) return answer;
  return { ...answer, body: JSON.stringify(map(JSON.parse(answer.body.toString()) as Json)) };
}

const problem = (type: string, status: number, detail: string, retryAfter = ""): Answer => ({
  status,
  headers: { "content-type": "application/problem+json", ...(retryAfter !== "" && { "retry-after": retryAfter }) },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail, status }),
});

function forward(exchange: Exchange, port: number, agent: Agent): Promise<Answer> {
  const { method, target: path, headers, body } = exchange;
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, method, path, headers, agent, timeout: forwardTimeoutMs };
    const outgoing = httpsRequest(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", () => {
        const { "transfer-encoding": _, "content-length": __, connection: ___, ...kept } = incoming.headers;
        const given = Object.entries(kept).filter(
          (entry): entry is [string, string | string[]] => entry[1] !== undefined,
        );
        resolve({
          status: incoming.statusCode ?? 502,
          headers: Object.fromEntries(given),
          body: Buffer.concat(chunks),
        });
      });
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("Pebble does not answer.")));
    outgoing.once("error", (error) =>
      resolve({
        status: 502,
        headers: { "content-type": "text/html" },
        body: `<h1>Bad Gateway</h1>${error.message}\n`,
      }),
    );
    outgoing.end(body);
  });
}
