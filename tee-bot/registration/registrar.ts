/**
 * Holds the node's name at the edge: registers once per start, which raises the epoch and makes this process the
 * only one that may serve the name, and renews the lease from then on. What the edge said last is kept on disk, so
 * that a node started while the edge is away still reaches its relays under the epoch it had.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { aliasSchema, registrationSchema, type Registration } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface RegistrarOptions {
  node: NodeId;
  alias: string | undefined;
  version: string;
  /** Where the last registration is kept. */
  path: string;
  edge: EdgeClient;
  clock: Clock;
  log: Log;
  random: () => number;
  /** The key that visitors meet, where the edge cannot know it: SHA-256 of its SubjectPublicKeyInfo, in hexadecimal. */
  servedKey: () => string | undefined;
  /** Called with each registration that differs from the one before. */
  onRegistration: (registration: Registration) => void;
  /** What the edge should know of the relays that it has named; told with each renewal. */
  relays: RelayReport;
}

/** Which relays do not serve this node as they should, as far as it can tell. */
export interface RelayReport {
  troubles(): { unreachable: readonly NodeId[]; draining: readonly NodeId[] };
  /** The edge has answered. */
  reached(): void;
  /** It has not, or not as it should. */
  notReached(): void;
}

const backoff = { baseMs: 200, maxMs: 10_000 };
const noRelayRetryMs = 500;
const minRenewMs = 500;
/** How long the first registration may take before what an earlier start was told is used meanwhile. */
const patienceMs = 1_500;

export class Registrar {
  readonly #options: RegistrarOptions;
  #current: Registration | undefined;
  #fresh = false;
  #problem: string | undefined;
  #aliasProblem: string | undefined;
  #toldKey: string | undefined;
  #wake: AbortController = new AbortController();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  get current(): Registration | undefined {
    return this.#current;
  }

  /** Whether the edge has confirmed this start, as opposed to what an earlier start was told. */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** Why the edge was last not reached or refused; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Why the alias is not ours; undefined when it is, or none is wanted. */
  get aliasProblem(): string | undefined {
    return this.#aliasProblem;
  }

  /** Runs until the signal aborts. Throws only `epoch-superseded`: another process has registered this key since. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random, relays } = this.#options;
    const patience = new AbortController();
    void clock.sleep(patienceMs, AbortSignal.any([signal, patience.signal])).then(
      () => this.#useStored(),
      () => {},
    );
    for (let attempt = 0; !signal.aborted;) {
      this.#wake = new AbortController(); // before asking: whoever calls confirm() meanwhile wants a newer answer
      try {
        await this.#renewOrRegister(signal);
        relays.reached();
        attempt = 0;
        this.#problem = undefined;
        const { relays: named, renewAfterMs } = this.#current ?? { relays: [], renewAfterMs: 0 };
        await this.#rest(named.length === 0 ? noRelayRetryMs : Math.max(minRenewMs, renewAfterMs), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AppError && error.code === "epoch-superseded") throw error;
        relays.notReached();
        this.#problem = errorText(error);
        const waitMs = decideBackoffMs(attempt++, { ...backoff, random });
        log.warn("registration.failed", { error: this.#problem, retryInMs: waitMs });
        patience.abort();
        this.#useStored();
        await this.#rest(waitMs, signal);
      }
    }
  }

  /** Asks the edge now whether this process still holds the name, rather than when the lease is due. */
  confirm(): void {
    this.#wake.abort();
  }

  /** The key that visitors meet may have changed: the edge hears of it now. */
  checkKey(): void {
    if (this.#fresh && this.#options.servedKey() !== this.#toldKey) this.confirm();
  }

  /** Gives the routes back at once, so that visitors are refused rather than left waiting. Best effort. */
  async release(): Promise<void> {
    const { edge, node, log } = this.#options;
    if (!this.#current || !this.#fresh) return;
    try {
      const path = `/v1/nodes/${node}/registration?epoch=${this.#current.epoch}`;
      await edge.request("DELETE", path, z.unknown(), { signal: AbortSignal.timeout(1_500) });
    } catch (error) {
      log.info("registration.kept", { error: errorText(error) });
    }
  }

  async #renewOrRegister(signal: AbortSignal): Promise<void> {
    if (!this.#fresh || !this.#current) return this.#register(signal);
    const { edge, node, relays, servedKey } = this.#options;
    const key = servedKey();
    try {
      const body = { epoch: this.#current.epoch, key, ...relays.troubles() };
      this.#accept(await edge.request("PUT", `/v1/nodes/${node}/lease`, registrationSchema, { body, signal }));
      this.#toldKey = key;
    } catch (error) {
      if (error instanceof AppError && (error.code === "not-registered" || error.code === "lease-expired"))
        return this.#register(signal);
      throw error;
    }
    if (this.#aliasProblem !== undefined) await this.#claimAlias(signal);
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { edge, node, version, servedKey, log } = this.#options;
    const path = `/v1/nodes/${node}/registration`;
    const body = { version, key: servedKey() };
    const registration = await edge.request("POST", path, registrationSchema, { body, signal });
    this.#toldKey = body.key;
    this.#fresh = true;
    log.info("registration.granted", { epoch: registration.epoch, hostnames: registration.hostnames });
    // With the alias first, the first certificate already covers every name.
    this.#current = registration;
    await this.#claimAlias(signal);
    this.#accept(this.#current);
  }

  async #claimAlias(signal: AbortSignal): Promise<void> {
    const { alias, edge, log } = this.#options;
    if (alias === undefined || !this.#current) return;
    const hostname = `${alias}.${this.#current.zone}`;
    if (this.#current.hostnames.includes(hostname)) {
      this.#aliasProblem = undefined;
      return;
    }
    try {
      await edge.request("PUT", `/v1/aliases/${encodeURIComponent(alias)}`, aliasSchema, { body: {}, signal });
      this.#aliasProblem = undefined;
      this.#accept({ ...this.#current, hostnames: [hostname, ...this.#current.hostnames] });
      log.info("alias.claimed", { hostname });
    } catch (error) {
      this.#aliasProblem = errorText(error); // the 52-character name works all the same; the next renewal tries again
      log.warn("alias.refused", { hostname, error: this.#aliasProblem });
    }
  }

  /** With the edge away, what an earlier start was told is better than nothing. */
  #useStored(): void {
    const stored = this.#current ? undefined : readStored(this.#options);
    if (stored) this.#publish(stored);
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
  }

  #accept(registration: Registration): void {
    const { path, log } = this.#options;
    try {
      writeFileAtomic(path, JSON.stringify(registration), 0o600);
    } catch (error) {
      log.warn("registration.unsaved", { error: errorText(error) }); // a full disk costs the next start, not this one
    }
    this.#publish(registration);
  }

  #publish(registration: Registration): void {
    this.#current = registration;
    this.#options.onRegistration(registration);
  }
}

function readStored({ path, node }: RegistrarOptions): Registration | undefined {
  try {
    const stored = registrationSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    return stored.node === node ? stored : undefined;
  } catch {
    return undefined; // absent at the first start; a damaged one is replaced by the next answer
  }
}
