/**
 * A certificate authority over the wire (RFC 8555), on acme-client. Runs in workerd (nodejs_compat) and Node. Nothing
 * here sleeps or throws: every answer, whatever it is, becomes a value.
 */
import type { AcmeAnswer } from "./acme-library.ts";
import { openSession, type Session, type SessionOptions } from "./acme-session.ts";
import { readAuthorizationAnswer, readChainAnswer, readOrderAnswer } from "./answers.ts";
import { parseRenewalInfo } from "./ari.ts";
import type { Ca, CaAnswer, CaAuthorization, CaDescription, CaOrder, OrderRequest, RenewalInfo } from "./ca.ts";
import { withinMs } from "./deadline.ts";
import { DirectoryCache } from "./directory.ts";
import { CaError, parseRetryAfterMs, unavailable } from "./failure.ts";
import { requestTimeoutMs } from "./fetch-adapter.ts";
import { NoncePool } from "./nonces.ts";
import type { Clock } from "../clock.ts";
import { errorText } from "../errors.ts";

/** Where the CA's URL of an order is kept under Postern's id for it. */
export interface OrderMemory {
  readOrder(id: string): Promise<string | undefined> | string | undefined;
  writeOrder(id: string, url: string): Promise<void> | void;
}

export interface AcmeCaOptions {
  /** URL of the directory. */
  readonly directory: string;
  /** PEM: account-key.ts makes one. */
  readonly accountKey: string;
  /** As {@link onAccount} was told before; without it the account is registered when it is first needed. */
  readonly accountUri?: string | undefined;
  readonly onAccount: (uri: string) => Promise<void> | void;
  /** For CAs that bind accounts to their own customers (§7.3.4); `hmacKey` is base64url. */
  readonly externalAccount?: { readonly kid: string; readonly hmacKey: string } | undefined;
  /** A mail address for the CA's notices. */
  readonly contact?: string | undefined;
  /** Common name of the issuer whose chain is wanted, where the CA offers several. */
  readonly preferredChain?: string | undefined;
  readonly memory: OrderMemory;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Of one request; shorter in tests. */
  readonly timeoutMs?: number;
}

export function createAcmeCa(options: AcmeCaOptions): Ca {
  return new AcmeCa(options);
}

/** Of one call with all its requests. */
const callTimeoutMs = 20_000;

class AcmeCa implements Ca {
  readonly #options: AcmeCaOptions;
  readonly #shared: Pick<SessionOptions, "nonces" | "directories">;
  #accountUri: string | undefined;
  #registration: Promise<string> | undefined;

  constructor(options: AcmeCaOptions) {
    this.#options = options;
    this.#shared = { nonces: new NoncePool(), directories: new DirectoryCache(options) };
    this.#accountUri = options.accountUri;
  }

  describe(): Promise<CaAnswer<CaDescription>> {
    return this.#call(({ directory, library }) => ({
      directory: this.#options.directory,
      accountUri: library.api.accountUrl ?? "",
      caaIdentities: directory.meta.caaIdentities.map((name) => name.toLowerCase()),
      renewalInfo: directory.renewalInfo !== undefined,
    }));
  }

  createOrder(request: OrderRequest): Promise<CaAnswer<CaOrder>> {
    const { memory } = this.#options;
    return this.#call(async (session) => {
      const known = await memory.readOrder(request.order);
      const before = known === undefined ? undefined : await this.#readUsable(session, known);
      if (before) return before;
      const order = this.#order(await createAnew(session, request));
      await memory.writeOrder(request.order, order.url);
      return order;
    });
  }

  readOrder(url: string): Promise<CaAnswer<CaOrder>> {
    return this.#call(async ({ library }) => this.#order(await library.api.getOrder(url), url));
  }

  readAuthorizations(urls: readonly string[]): Promise<CaAnswer<CaAuthorization[]>> {
    return this.#call(({ library }) =>
      Promise.all(
        urls.map(async (url) => {
          const { data } = await library.api.getAuthorization(url);
          return readAuthorizationAnswer(data, url, (challenge) => library.getChallengeKeyAuthorization(challenge));
        }),
      ),
    );
  }

  completeChallenge(url: string): Promise<CaAnswer<null>> {
    return this.#call(async ({ library }) => {
      await library.api.completeChallenge(url, {});
      return null;
    });
  }

  finalize(order: Pick<CaOrder, "url" | "finalize">, csr: Uint8Array<ArrayBuffer>): Promise<CaAnswer<CaOrder>> {
    return this.#call(async ({ library }) =>
      this.#order(await library.api.finalizeOrder(order.finalize, { csr: base64Url(csr) }), order.url),
    );
  }

  download(certificateUrl: string): Promise<CaAnswer<string>> {
    const { preferredChain } = this.#options;
    return this.#call(async ({ library }) =>
      readChainAnswer(await library.getCertificate({ status: "valid", certificate: certificateUrl }, preferredChain)),
    );
  }

  renewalInfo(certificateId: string): Promise<CaAnswer<RenewalInfo | undefined>> {
    return this.#call(
      async ({ directory, library }) => {
        if (directory.renewalInfo === undefined) return undefined;
        const answer = await library.request(`${directory.renewalInfo.replace(/\/$/, "")}/${certificateId}`, "get");
        const info = parseRenewalInfo(answer.data, this.#retryAfterMs(answer));
        if (!info) throw unavailable("The CA's answer is no renewal information.");
        return info;
      },
      { account: false },
    );
  }

  /** A session with the account registered, unless it is not needed; failures become values. */
  async #call<T>(work: (session: Session) => Promise<T> | T, { account = true } = {}): Promise<CaAnswer<T>> {
    const accountUri = this.#accountUri;
    try {
      const value = await withinMs(callTimeoutMs, async (signal) => {
        const session = await this.#open(accountUri, signal);
        if (account) session.library.api.accountUrl = await this.#registered(session);
        return work(session);
      });
      return { ok: true, value };
    } catch (error) {
      const { failure } =
        error instanceof CaError ? error : unavailable(`The CA's answer makes no sense: ${errorText(error)}.`);
      if (failure.kind === "account" && this.#accountUri === accountUri) this.#accountUri = undefined;
      if (failure.kind === "unavailable") this.#shared.directories.drop();
      return { ok: false, failure };
    }
  }

  #open(accountUri: string | undefined, signal: AbortSignal): Promise<Session> {
    const { directory, accountKey, externalAccount, fetch, clock, userAgent } = this.#options;
    const { timeoutMs = requestTimeoutMs } = this.#options;
    const of = { directory, accountKey, accountUri, externalAccount };
    return openSession({ ...this.#shared, ...of, fetch, clock, userAgent, timeoutMs, signal });
  }

  /** The account's URI; §7.3: asked for again under the same key the CA answers with the account there is. */
  async #registered(session: Session): Promise<string> {
    if (this.#accountUri !== undefined) return this.#accountUri;
    this.#registration ??= this.#register(session).finally(() => {
      this.#registration = undefined;
    });
    return this.#registration;
  }

  async #register({ directory, library }: Session): Promise<string> {
    const { contact, externalAccount, onAccount } = this.#options;
    if (directory.meta.externalAccountRequired && !externalAccount)
      throw new CaError({
        kind: "refused",
        type: "externalAccountRequired",
        detail: "The CA takes only accounts that are bound to a customer of its own.",
      });
    await library.api.createAccount({
      termsOfServiceAgreed: true,
      ...(contact !== undefined && { contact: [`mailto:${contact}`] }),
    });
    const uri = library.api.accountUrl;
    if (!uri || !URL.canParse(uri)) throw unavailable("The CA did not say where the account is.");
    await onAccount(uri);
    this.#accountUri = uri;
    return uri;
  }

  /** The order made before, unless the CA has forgotten it or it has failed. */
  async #readUsable({ library }: Session, url: string): Promise<CaOrder | undefined> {
    try {
      const order = this.#order(await library.api.getOrder(url), url);
      return order.status === "invalid" ? undefined : order;
    } catch (error) {
      if (error instanceof CaError && error.failure.kind === "gone") return undefined;
      throw error;
    }
  }

  #order(answer: AcmeAnswer, url: string | undefined = answer.headers["location"]): CaOrder {
    return readOrderAnswer(answer.data, url, this.#retryAfterMs(answer));
  }

  #retryAfterMs({ headers }: AcmeAnswer): number | undefined {
    return parseRetryAfterMs(headers["retry-after"], this.#options.clock.now());
  }
}

/** RFC 9773 §5: what cannot be said to replace another certificate is ordered for itself. */
async function createAnew({ directory, library }: Session, request: OrderRequest): Promise<AcmeAnswer> {
  const order = { identifiers: request.hostnames.map((value) => ({ type: "dns", value })) };
  if (request.replaces === undefined || directory.renewalInfo === undefined) return library.api.createOrder(order);
  try {
    return await library.api.createOrder({ ...order, replaces: request.replaces });
  } catch (error) {
    // "unauthorized": the certificate is of another account; were it ours that is, the next request would say so.
    const kind = error instanceof CaError ? error.failure.kind : undefined;
    const refused = kind === "refused" || (kind === "account" && (error as CaError).failure.type === "unauthorized");
    const unknown = kind === "unavailable" && (error as CaError).failure.status === 404;
    if (refused || unknown) return library.api.createOrder(order);
    throw error;
  }
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
