/** A CA in memory that keeps the rules of RFC 8555 an order depends on, and fails as it is told. */
import type {
  Ca,
  CaAnswer,
  CaAuthorization,
  CaDescription,
  CaFailure,
  CaOrder,
  ChallengeMethod,
  OrderRequest,
  RenewalInfo,
} from "../../../shared/acme/ca.ts";
import type { Clock } from "../../../shared/clock.ts";
import { TestIssuer } from "./certificates.ts";

export type Method = keyof Ca;

interface Order {
  readonly hostnames: readonly string[];
  readonly authorizations: readonly string[];
  status: CaOrder["status"];
  csr?: Uint8Array<ArrayBuffer>;
  polls: number;
}

interface Authorization {
  readonly hostname: string;
  readonly order: string;
  status: CaAuthorization["status"];
  tried: ChallengeMethod | undefined;
  error?: CaFailure;
}

const succeed = <T>(value: T): CaAnswer<T> => ({ ok: true, value });
const refuse = (type: string, detail = `Scripted: ${type}.`): CaAnswer<never> => ({
  ok: false,
  failure: { kind: "refused", type, detail },
});

const issuer = new TestIssuer();
const lifetimeMs = 90 * 86_400_000;

export class ScriptedCa implements Ca {
  /** Names that are not proved again. */
  readonly valid = new Set<string>();
  /** Why a name cannot be validated; undefined when it can. */
  validates: (hostname: string, method: ChallengeMethod, response: string) => CaFailure | undefined = () => undefined;
  offers: readonly ChallengeMethod[] = ["dns-01", "tls-alpn-01"];
  /** How often an order is still being processed when it is looked at. */
  processingPolls = 0;
  /** The Retry-After of orders that are being processed. */
  retryAfterMs: number | undefined;
  /** What the issued certificate is changed to. */
  mangle: (chain: string) => string | Promise<string> = (chain) => chain;
  readonly orders = new Map<string, Order>();
  readonly calls: Method[] = [];
  readonly requests: OrderRequest[] = [];
  issued = 0;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #memory = new Map<string, string>();
  readonly #authorizations = new Map<string, Authorization>();
  readonly #failures: { method: Method; failure: CaFailure; times: number; done: boolean }[] = [];

  constructor({ directory, clock }: { directory: string; clock: Clock }) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** The next `times` calls fail so; with `done` after what was asked has been done. */
  fail(method: Method, failure: CaFailure, { times = 1, done = false } = {}): void {
    this.#failures.push({ method, failure, times, done });
  }

  count(method: Method): number {
    return this.calls.filter((call) => call === method).length;
  }

  /** As a restart without its memory does. */
  forget(): void {
    this.orders.clear();
    this.#authorizations.clear();
  }

  describe(): Promise<CaAnswer<CaDescription>> {
    const accountUri = `${this.#directory}/account/1`;
    return this.#answer("describe", () =>
      succeed({ directory: this.#directory, accountUri, caaIdentities: [], renewalInfo: false }),
    );
  }

  createOrder(request: OrderRequest): Promise<CaAnswer<CaOrder>> {
    return this.#answer("createOrder", () => {
      const known = this.#memory.get(request.order);
      if (known !== undefined && this.orders.has(known) && this.orders.get(known)?.status !== "invalid")
        return succeed(this.#view(known));
      this.requests.push(request);
      const url = `${this.#directory}/order/${this.requests.length}`;
      const authorizations = request.hostnames.map((hostname, at) => {
        const authorization = `${url}/authorization/${at}`;
        const status = this.valid.has(hostname) ? "valid" : "pending";
        this.#authorizations.set(authorization, { hostname, order: url, status, tried: undefined });
        return authorization;
      });
      this.orders.set(url, { hostnames: request.hostnames, authorizations, status: "pending", polls: 0 });
      this.#memory.set(request.order, url);
      this.#settle(url);
      return succeed(this.#view(url));
    });
  }

  readOrder(url: string): Promise<CaAnswer<CaOrder>> {
    return this.#answer("readOrder", () => {
      const order = this.orders.get(url);
      if (!order) return this.#gone();
      if (order.status === "processing" && --order.polls < 0) order.status = "valid";
      return succeed(this.#view(url));
    });
  }

  readAuthorizations(urls: readonly string[]): Promise<CaAnswer<CaAuthorization[]>> {
    return this.#answer("readAuthorizations", () => {
      if (!urls.every((url) => this.#authorizations.has(url))) return this.#gone();
      return succeed(urls.map((url) => this.#authorizationAt(url)));
    });
  }

  completeChallenge(url: string): Promise<CaAnswer<null>> {
    return this.#answer("completeChallenge", () => {
      const [at, method] = url.split("#") as [string, ChallengeMethod];
      const authorization = this.#authorizations.get(at);
      if (!authorization) return this.#gone();
      if (authorization.tried) return refuse("malformed", "Cannot update a challenge that is not pending.");
      authorization.tried = method;
      const failure = this.validates(authorization.hostname, method, responseOf(authorization.hostname, method));
      authorization.status = failure ? "invalid" : "valid";
      if (failure) authorization.error = failure;
      this.#settle(authorization.order);
      return succeed(null);
    });
  }

  finalize({ url }: Pick<CaOrder, "url">, csr: Uint8Array<ArrayBuffer>): Promise<CaAnswer<CaOrder>> {
    return this.#answer("finalize", () => {
      const order = this.orders.get(url);
      if (!order) return this.#gone();
      if (order.status !== "ready") return refuse("orderNotReady", `The order is ${order.status}.`);
      Object.assign(order, {
        csr,
        polls: this.processingPolls,
        status: this.processingPolls > 0 ? "processing" : "valid",
      });
      this.issued++;
      return succeed(this.#view(url));
    });
  }

  download(certificateUrl: string): Promise<CaAnswer<string>> {
    return this.#answer("download", async () => {
      const order = this.orders.get(certificateUrl.replace(/\/certificate$/, ""));
      if (!order?.csr) return this.#gone();
      const now = this.#clock.now();
      const chain = await issuer.issue(order.csr, {
        names: order.hostnames,
        notBefore: now - 3_600_000,
        notAfter: now + lifetimeMs,
      });
      return succeed(await this.mangle(chain));
    });
  }

  renewalInfo(): Promise<CaAnswer<RenewalInfo | undefined>> {
    return this.#answer("renewalInfo", () => succeed(undefined));
  }

  async #answer<T>(method: Method, work: () => CaAnswer<T> | Promise<CaAnswer<T>>): Promise<CaAnswer<T>> {
    this.calls.push(method);
    const rule = this.#failures.find((failure) => failure.method === method && failure.times > 0);
    if (!rule) return work();
    rule.times--;
    if (rule.done) await work();
    return { ok: false, failure: rule.failure };
  }

  #gone(): CaAnswer<never> {
    return { ok: false, failure: { kind: "gone", status: 404, detail: "Scripted: there is no such thing." } };
  }

  /** RFC 8555 §7.1.6. */
  #settle(url: string): void {
    const order = this.orders.get(url);
    const states = order?.authorizations.map((at) => this.#authorizations.get(at)?.status);
    if (order && states?.includes("invalid")) order.status = "invalid";
    else if (order && states?.every((status) => status === "valid")) order.status = "ready";
  }

  #view(url: string): CaOrder {
    const order = this.orders.get(url);
    if (!order) throw new Error(`There is no order ${url}.`);
    const { status, authorizations } = order;
    return {
      url,
      status,
      authorizations,
      finalize: `${url}/finalize`,
      ...(status === "processing" && this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(status === "valid" && { certificate: `${url}/certificate` }),
    };
  }

  #authorizationAt(url: string): CaAuthorization {
    const { hostname, status, tried, error } = this.#authorizations.get(url) as Authorization;
    const challenges = this.offers.map((type) => {
      const challenge = {
        type,
        url: `${url}#${type}`,
        status: "pending" as const,
        response: responseOf(hostname, type),
      };
      return error && type === tried ? Object.assign(challenge, { error }) : challenge;
    });
    return { url, hostname, status, challenges };
  }
}

export const responseOf = (hostname: string, method: ChallengeMethod): string => `${method} of ${hostname}`;
