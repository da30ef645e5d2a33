/**
 * Keeps the certificate of the public name: uses the stored one, orders one when it is missing, covers too little or
 * is due for renewal, and hands each new one to `onCertificate`, which swaps it for new connections only. Who signs,
 * and by whose account, is its source's business.
 */
import type { Trouble } from "../../shared/acme/ports.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { lifetimeOf, parseCertificate, type Certificate } from "./certificate.ts";
import type { CertificateFiles } from "./certificate-files.ts";
import {
  certificateProblem,
  reportCertificate,
  type CertificateReport,
  type CertificateState,
} from "./certificate-report.ts";
import type { CertificateSource, HeldCertificate, OrderEnd } from "./certificate-source.ts";
import type { CertificateHistory } from "./history.ts";
import type { OrderFile, PendingOrder } from "./order-file.ts";
import { decideRenewal, decideUrgency, faultOf, renewalTime, type RenewalDecision } from "./renewal.ts";
import type { TlsKey } from "./tls-key.ts";
import { isPassing, isUnreachable, troubleOf } from "./trouble.ts";

export interface CertificateKeeperOptions {
  key: TlsKey;
  source: CertificateSource;
  files: CertificateFiles;
  order: OrderFile;
  history: CertificateHistory;
  clock: Clock;
  log: Log;
  random: () => number;
  onCertificate: (certificate: Certificate) => void;
  /** The report says something else than before. */
  onChange: () => void;
}

const backoff = { baseMs: 1_000, maxMs: 15 * 60_000 };
/** A CA that has refused is not asked often: five failed validations within an hour are what Let's Encrypt allows. */
const refusedBackoff = { baseMs: 5 * 60_000, maxMs: 6 * 3_600_000 };

interface Failed {
  readonly trouble: Trouble;
  /** By the CA or for what was received, rather than for want of an answer. */
  readonly refused: boolean;
  readonly unreachable: boolean;
}

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
      if (!failed) {
        failures = 0;
        continue;
      }
      const waitMs = decideBackoffMs(failures++, { ...(failed.refused ? refusedBackoff : backoff), random });
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
    const wish = { hostnames, spki: key.spki, plannedAt: this.#held?.renewal?.at, jitter: this.#jitter };
    return decideRenewal(this.current?.leaf, wish, now);
  }

  async #order(hostnames: readonly string[], reason: string, signal: AbortSignal): Promise<Failed | undefined> {
    const { source, order, clock, log } = this.#options;
    this.#asked = false;
    try {
      let pending = order.pending(hostnames, clock.now()) ?? (await order.begin(hostnames, reason, clock.now()));
      log.info("certificate.ordered", { order: pending.id, reason, hostnames });
      this.#note({ waitsFor: "being ordered", trouble: undefined, failed: this.#failed });
      const end = await source.obtain(
        { ...pending, replaces: this.#held },
        {
          signal,
          tell: (waitsFor, trouble) => {
            if (!signal.aborted) this.#note({ waitsFor, trouble, failed: undefined });
          },
          save: (progress) => {
            if (!signal.aborted) pending = order.save(pending, progress);
          },
        },
      );
      signal.throwIfAborted();
      return this.#finish(pending, end);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!isPassing(error)) order.clear();
      const trouble = troubleOf(error);
      this.#remember(reason, trouble);
      return { trouble, refused: false, unreachable: isUnreachable(error) };
    }
  }

  #finish(pending: PendingOrder, end: OrderEnd): Failed | undefined {
    const { order } = this.#options;
    const trouble = end.status === "invalid" ? end.trouble : this.#accept(pending, end);
    order.clear(); // after the certificate was written: a crash in between finds the order once more
    if (!trouble) return undefined;
    this.#remember(pending.reason, trouble);
    return { trouble, refused: true, unreachable: false };
  }

  /** Serves and stores what was received, unless it is of no use. */
  #accept({ hostnames, reason }: PendingOrder, end: OrderEnd & { status: "valid" }): Trouble | undefined {
    const { key, clock, files, log, history, onCertificate } = this.#options;
    let certificate: Certificate;
    try {
      certificate = parseCertificate(end.chain);
      const fault = faultOf(certificate.leaf, { hostnames, spki: key.spki }, clock.now());
      if (fault) throw new Error(fault.replace("the one held", "it"));
    } catch (error) {
      const remedy = "Report it to whoever runs the edge or the CA; it is tried again by itself.";
      return { detail: `The certificate received is of no use: ${errorText(error)}.`, remedy };
    }
    this.#held = { certificate, directory: end.directory, renewal: end.renewal };
    log.info("certificate.received", { hostnames, notAfter: certificate.leaf.validToDate.toISOString() });
    onCertificate(certificate);
    files.write(this.#held);
    const { issuer, notAfter } = this.report;
    const { serialNumber: serial } = certificate.leaf;
    const words = `Issued by ${issuer ?? "its CA"} for ${hostnames.join(", ")}.`;
    history.add({ at: clock.now(), outcome: "issued", reason, issuer, serial, notAfter, words });
    return undefined;
  }

  #remember(reason: string, { detail, remedy }: Trouble): void {
    const { history, clock } = this.#options;
    const none = { issuer: null, serial: null, notAfter: null };
    history.add({ at: clock.now(), outcome: "failed", reason, ...none, words: `${detail} ${remedy}` });
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
    const at =
      certificate && renewalTime(lifetimeOf(certificate.leaf), { plannedAt: planned?.at, jitter: this.#jitter });
    return {
      certificate,
      renewal: at === undefined ? undefined : { source: "lifetime", ...planned, at: Math.round(at) },
      waitsFor: this.#waitsFor,
      trouble: this.#trouble,
      failed: this.#failed !== undefined,
      last: history.last,
    };
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
