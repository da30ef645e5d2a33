/**
 * Keeps the certificate of the public name: uses the stored one, orders one when it is missing, covers too little or
 * is due for renewal, and hands each new one to `onCertificate`, which swaps it for new connections only. Who signs,
 * and by whose account, is its source's business.
 */
import type { Trouble } from "../../shared/acme/ports.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import { errorText } from "../../shared/errors.ts";
import { lifetimeOf, type Certificate } from "./certificate.ts";
import {
  certificateProblem,
  reportCertificate,
  type CertificateReport,
  type CertificateState,
} from "./certificate-report.ts";
import type { HeldCertificate, OrderHooks } from "./certificate-source.ts";
import { attemptOrder, type AttemptParts, type Failed } from "./order-attempt.ts";
import { decideEarliest, decideRenewal, decideUrgency, renewalTime, type RenewalDecision } from "./renewal.ts";

export interface CertificateKeeperOptions extends AttemptParts {
  random: () => number;
  onCertificate: (certificate: Certificate) => void;
  /** The report says something else than before. */
  onChange: () => void;
}

const backoff = { baseMs: 1_000, maxMs: 15 * 60_000 };
/** A CA that has refused is not asked often: five failed validations within an hour are what Let's Encrypt allows. */
const refusedBackoff = { baseMs: 5 * 60_000, maxMs: 6 * 3_600_000 };

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #jitter: number;
  #held: HeldCertificate | undefined;
  #hostnames: readonly string[] = [];
  #waitsFor: string | undefined;
  #trouble: Trouble | undefined;
  #failed: Failed | undefined;
  #asked = false;
  #keeping: AbortController = new AbortController();
  #wake: AbortController = new AbortController();

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#jitter = options.random();
  }

  /** Takes up the certificate of an earlier start, if there is one for our key. */
  useStored(): void {
    const { files, key, onCertificate } = this.#options;
    const stored = files.read();
    if (!stored?.certificate.leaf.checkPrivateKey(key.privateKey)) return;
    this.#held = stored;
    onCertificate(stored.certificate);
  }

  get current(): Certificate | undefined {
    return this.#held?.certificate;
  }

  get report(): CertificateReport {
    return reportCertificate(this.#state(), this.#options.clock.now());
  }

  /** Why the certificate needs attention; undefined while all is well. */
  get problem(): string | undefined {
    return certificateProblem(this.#state(), this.#options.clock.now());
  }

  /**
   * Keeps a certificate for these names until the signal aborts. Called whenever the edge has answered: other names
   * replace those from before, and an order for which the edge was away is tried again at once.
   */
  follow(hostnames: readonly string[], signal: AbortSignal): void {
    if (this.#hostnames.join() === hostnames.join()) {
      if (this.#failed?.unreachable) this.#wake.abort(); // ends a pause, never an order that is under way
      return;
    }
    this.#hostnames = hostnames;
    this.#keeping.abort();
    this.#keeping = new AbortController();
    void this.#keep(hostnames, AbortSignal.any([signal, this.#keeping.signal]));
  }

  /** Orders a new certificate now, whatever is left of the one held; an order that is under way is that order. */
  renew(): void {
    if (this.#waitsFor !== undefined) return;
    this.#asked = true;
    this.#wake.abort();
  }

  /** Asks for the plan of the renewal again: the edge may have another one. */
  reconsider(): void {
    if (!this.#failed) this.#wake.abort();
  }

  async #keep(hostnames: readonly string[], signal: AbortSignal): Promise<void> {
    const { random, log } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      await this.#askPlan(signal);
      const decision = this.#decide(hostnames);
      if (decision.kind === "keep") {
        this.#note({ waitsFor: undefined, trouble: undefined, failed: undefined });
        await this.#rest(decision.checkAgainInMs, signal);
        continue;
      }
      const failed = await this.#order(hostnames, decision.reason, signal);
      if (signal.aborted) return;
      this.#note({ waitsFor: undefined, trouble: failed?.trouble, failed });
      failures = failed ? failures + 1 : 0;
      if (!failed) continue;
      const waitMs = decideBackoffMs(failures - 1, { ...(failed.refused ? refusedBackoff : backoff), random });
      log[this.#isLate() ? "error" : "warn"]("certificate.failed", { error: failed.trouble.detail, retryInMs: waitMs });
      await this.#rest(waitMs, signal);
    }
  }

  #decide(hostnames: readonly string[]): RenewalDecision {
    const { clock, order, key } = this.#options;
    const now = clock.now();
    const pending = order.pending(hostnames, now);
    if (pending) return { kind: "order", reason: pending.reason };
    if (this.#asked) return { kind: "order", reason: "it was asked for" };
    return decideRenewal(this.current?.leaf, { hostnames, spki: key.spki, ...this.#timing() }, now);
  }

  async #order(hostnames: readonly string[], reason: string, signal: AbortSignal): Promise<Failed | undefined> {
    this.#asked = false;
    this.#note({ waitsFor: "being ordered", trouble: undefined, failed: this.#failed });
    const tell: OrderHooks["tell"] = (waitsFor, trouble) => {
      if (!signal.aborted) this.#note({ waitsFor, trouble, failed: undefined });
    };
    try {
      const attempt = await attemptOrder(this.#options, { hostnames, reason, replaces: this.#held }, { signal, tell });
      if ("failed" in attempt) return attempt.failed;
      this.#held = attempt.held;
      this.#options.onCertificate(attempt.held.certificate);
    } catch {
      // the signal has aborted
    }
    return undefined;
  }

  async #askPlan(signal: AbortSignal): Promise<void> {
    const { source, log, files } = this.#options;
    const held = this.#held;
    if (!held) return;
    try {
      const renewal = await source.plan(held, signal);
      if (!renewal || JSON.stringify(renewal) === JSON.stringify(held.renewal)) return;
      this.#held = { ...held, renewal };
      files.note(this.#held);
      log.info("renewal.planned", { at: new Date(renewal.at).toISOString(), source: renewal.source });
      this.#options.onChange();
    } catch (error) {
      if (!signal.aborted) log.info("renewal.unknown", { error: errorText(error) });
    }
  }

  #state(): CertificateState {
    const certificate = this.current;
    const { history } = this.#options;
    const planned = this.#held?.renewal;
    const at = certificate && renewalTime(lifetimeOf(certificate.leaf), this.#timing());
    return {
      certificate,
      renewal: at === undefined ? undefined : { source: "lifetime", ...planned, at: Math.round(at) },
      waitsFor: this.#waitsFor,
      trouble: this.#trouble,
      failed: this.#failed !== undefined,
      last: history.last,
    };
  }

  #timing(): { plannedAt: number | undefined; earliestAt: number; jitter: number } {
    const { history, clock } = this.#options;
    const earliestAt = decideEarliest(history.issuedAt, clock.now());
    return { plannedAt: this.#held?.renewal?.at, earliestAt, jitter: this.#jitter };
  }

  #isLate(): boolean {
    const { clock } = this.#options;
    const urgency = this.current && decideUrgency(lifetimeOf(this.current.leaf), clock.now());
    return urgency === "urgent" || urgency === "over";
  }

  #note({
    waitsFor,
    trouble,
    failed,
  }: {
    waitsFor?: string | undefined;
    trouble: Trouble | undefined;
    failed: Failed | undefined;
  }): void {
    const same = this.#waitsFor === waitsFor && JSON.stringify(this.#trouble) === JSON.stringify(trouble);
    const changed = !same || (this.#failed === undefined) !== (failed === undefined);
    this.#waitsFor = waitsFor;
    this.#trouble = trouble;
    this.#failed = failed;
    if (changed) this.#options.onChange();
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    await this.#options.clock.sleep(ms, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
  }
}
