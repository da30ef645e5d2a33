import { DurableObject } from "cloudflare:workers";
import { AccountStore, accountTables } from "./account-store.ts";
import { BlockStore, blockTable } from "./block-store.ts";
import { IssuanceQueue, issuanceTables } from "./issuance-queue.ts";
import { decideBlock, decideSpreadMs, scopesOf } from "./patience.ts";
import { edgeLog } from "../edge-log.ts";
import type { Env } from "../env.ts";
import { settingsOf } from "../object-settings.ts";
import { liveParts, type Parts } from "../parts.ts";
import { migrate } from "../storage/tables.ts";
import { createAccountKey } from "../../shared/acme/account-key.ts";
import { createAcmeCa, type AcmeCaOptions } from "../../shared/acme/acme-ca.ts";
import type {
  Ca,
  CaAnswer,
  CaAuthorization,
  CaDescription,
  CaFailure,
  CaOrder,
  OrderRequest,
  RenewalInfo,
} from "../../shared/acme/ca.ts";
import type { Admission, AdmissionRequest } from "../../shared/acme/ports.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { version } from "../../shared/version.ts";

/** A CA seldom changes its names. */
const describeAgainMs = 86_400_000;

export interface AccountParts extends Parts {
  readonly createCa: (options: AcmeCaOptions) => Ca;
}

/**
 * The edge's account at one CA, named by the URL of its directory: the only caller of that CA, and the keeper of what
 * it allows. The account's key is made here and never leaves.
 */
export class AcmeAccount extends DurableObject<Env> implements Ca {
  readonly #parts: AccountParts;
  readonly #log: Log;
  readonly #store: AccountStore;
  readonly #blocks: BlockStore;
  /** Undefined at a staging directory, which is not short of anything. */
  readonly #queue: IssuanceQueue | undefined;
  readonly #creating = new Map<string, Promise<CaAnswer<CaOrder>>>();
  #ca: Promise<Ca> | undefined;

  constructor(ctx: DurableObjectState, env: Env, parts: AccountParts = { ...liveParts, createCa: createAcmeCa }) {
    super(ctx, env);
    const { config } = settingsOf(env);
    const { storage } = ctx;
    migrate(storage.sql, [accountTables + blockTable + issuanceTables]);
    this.#parts = parts;
    this.#log = edgeLog(config.logLevel, parts.clock);
    this.#store = new AccountStore(storage.sql);
    this.#blocks = new BlockStore(storage.sql);
    const { staging, directories, limits } = config.acme;
    const rehearsing = staging?.url === this.#directory && !directories.some(({ url }) => url === staging.url);
    if (!rehearsing) this.#queue = new IssuanceQueue({ storage, limits, clock: parts.clock });
  }

  async describe(): Promise<CaAnswer<CaDescription>> {
    const answer = await this.#ask((ca) => ca.describe());
    if (answer.ok) this.#store.setDescription(answer.value, this.#parts.clock.now());
    return answer;
  }

  /** As {@link describe}, without asking the CA again for what it has said within a day. */
  async recall(): Promise<CaAnswer<CaDescription>> {
    const known = this.#store.description;
    const age = known && this.#parts.clock.now() - known.at;
    if (known && age !== undefined && age >= 0 && age < describeAgainMs) return { ok: true, value: known.description };
    const answer = await this.describe();
    const last = this.#store.description;
    return answer.ok || !last ? answer : { ok: true, value: last.description };
  }

  createOrder(request: OrderRequest): Promise<CaAnswer<CaOrder>> {
    const { order } = request;
    const held = this.#creating.get(order);
    if (held) return held; // else a step made twice at once would open two orders
    const creating = this.#ask((ca) => ca.createOrder(request), request).finally(() => this.#creating.delete(order));
    this.#creating.set(order, creating);
    return creating;
  }

  readOrder(url: string): Promise<CaAnswer<CaOrder>> {
    return this.#ask((ca) => ca.readOrder(url));
  }

  readAuthorizations(urls: readonly string[]): Promise<CaAnswer<CaAuthorization[]>> {
    return this.#ask((ca) => ca.readAuthorizations(urls));
  }

  completeChallenge(url: string): Promise<CaAnswer<null>> {
    return this.#ask((ca) => ca.completeChallenge(url));
  }

  finalize(order: Pick<CaOrder, "url" | "finalize">, csr: Uint8Array<ArrayBuffer>): Promise<CaAnswer<CaOrder>> {
    return this.#ask((ca) => ca.finalize(order, csr));
  }

  download(certificateUrl: string): Promise<CaAnswer<string>> {
    return this.#ask((ca) => ca.download(certificateUrl));
  }

  renewalInfo(certificateId: string): Promise<CaAnswer<RenewalInfo | undefined>> {
    return this.#ask((ca) => ca.renewalInfo(certificateId));
  }

  /** As `Admissions` has it. An order that replaces a certificate is exempt only where the CA has ARI to see it by. */
  admit(request: AdmissionRequest, options: { queue: boolean }): Admission {
    if (!this.#queue) return { admitted: true };
    const { order, node, exempt } = request;
    const withoutAri = this.#store.description?.description.renewalInfo === false;
    const admission = this.#queue.admit({ ...request, exempt: exempt && !withoutAri }, options);
    if (!admission.admitted) this.#log.info("order.queued", { order, node, ...admission, directory: this.#directory });
    return admission;
  }

  settle(order: string, outcome: "issued" | "failed"): void {
    this.#queue?.settle(order, outcome);
  }

  get #directory(): string {
    return this.ctx.id.name ?? ""; // the name that the object was addressed by
  }

  /** Asks the CA, unless it wants to be left alone; `order` when it is a new one that is asked for. */
  async #ask<T>(call: (ca: Ca) => Promise<CaAnswer<T>>, order?: OrderRequest): Promise<CaAnswer<T>> {
    const { clock, random } = this.#parts;
    const heldUp = this.#blocks.heldUp(scopesOf(order), clock.now());
    if (heldUp) {
      const retryAfterMs = decideSpreadMs(heldUp.retryAfterMs ?? 0, random());
      return { ok: false, failure: { ...heldUp, retryAfterMs } };
    }
    try {
      const ca = await this.#open();
      const { uri } = this.#store;
      const answer = await call(ca);
      if (!answer.ok) this.#heed(answer.failure, { order, uri });
      return answer;
    } catch (error) {
      this.#log.error("ca.failed", { directory: this.#directory, error: errorText(error) });
      return { ok: false, failure: { kind: "unavailable", detail: "The edge could not ask the CA." } };
    }
  }

  #heed(failure: CaFailure, { order, uri }: { order: OrderRequest | undefined; uri: string | undefined }): void {
    const { kind, type, status, detail } = failure;
    this.#log.info("ca.refused", { directory: this.#directory, kind, type, status, detail });
    if (kind === "account" && uri !== undefined) this.#store.forgetUri(uri);
    const block = decideBlock(failure, order, this.#parts.clock.now());
    if (!block || !this.#blocks.add(block)) return;
    const { scope, since, until } = block;
    this.#log.warn("ca.blocked", { directory: this.#directory, scope, forMs: until - since, detail });
  }

  #open(): Promise<Ca> {
    this.#ca ??= this.#create().catch((error: unknown) => {
      this.#ca = undefined;
      throw error;
    });
    return this.#ca;
  }

  async #create(): Promise<Ca> {
    const { clock, createCa } = this.#parts;
    const { config, secrets } = settingsOf(this.env);
    const directory = this.#directory;
    return createCa({
      directory,
      accountKey: this.#store.key ?? this.#store.keepKey(await createAccountKey()),
      accountUri: this.#store.uri,
      onAccount: (uri) => {
        this.#store.setUri(uri);
        this.#log.info("account.registered", { directory, uri });
      },
      externalAccount: secrets.externalAccounts.get(directory),
      contact: config.acme.contact,
      memory: {
        readOrder: (id) => this.#store.orderUrl(id),
        writeOrder: (id, url) => this.#store.setOrderUrl(id, url, clock.now()),
      },
      fetch: (input, init) => fetch(input, init), // looked up at each call: workerd wants its own `this`
      clock,
      userAgent: `postern/${version}`,
    });
  }
}
