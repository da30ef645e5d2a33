/** When the CA of each certificate wants it renewed (ARI, RFC 9773): asked for as often as the CA says. */
import { areSameNames, isServing } from "./orders.ts";
import type { OrderStore, StoredOrder } from "./order-store.ts";
import type { CaAnswer, RenewalInfo } from "../../shared/acme/ca.ts";
import { decideNextLookMs, decideRenewalPlan } from "../../shared/acme/renewal.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

/** A CA that has no ARI may have it one day. */
const withoutAriLookMs = 7 * 86_400_000;

export interface RenewalsParts {
  readonly store: OrderStore;
  /** Instead of what the CA says of the next look; undefined: as it says. */
  readonly lookMs: number | undefined;
  /** The answer's value is undefined when the CA has no ARI. May throw. */
  readonly fetchRenewalInfo: (directory: string, certificateId: string) => Promise<CaAnswer<RenewalInfo | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export class Renewals {
  readonly #parts: RenewalsParts;

  constructor(parts: RenewalsParts) {
    this.#parts = parts;
  }

  async lookDue(): Promise<void> {
    const now = this.#parts.clock.now();
    const due = this.#watched().filter(({ lookAt = Infinity }) => lookAt <= now);
    await Promise.all(due.map((order) => this.#look(order)));
  }

  nextDue(): number | undefined {
    const next = Math.min(...this.#watched().map(({ lookAt = Infinity }) => lookAt));
    return next === Infinity ? undefined : next;
  }

  /** The newest certificate for each set of names; those before it are not renewed any more. */
  #watched(): StoredOrder[] {
    const serving = this.#parts.store.all().filter((order) => isServing(order, this.#parts.clock.now()));
    return serving.filter(
      (order, index) =>
        order.certificateId !== undefined &&
        !serving.slice(0, index).some((newer) => areSameNames(newer.hostnames, order.hostnames)),
    );
  }

  async #look({ id, issuer = "", certificateId = "", notBefore = 0, notAfter = 0, renewal }: StoredOrder) {
    const { store, clock, random, lookMs } = this.#parts;
    const answer = await this.#ask(issuer, certificateId);
    const now = clock.now();
    const info = answer === "failed" ? undefined : answer;
    const waitMs = answer ? decideNextLookMs(answer) : withoutAriLookMs;
    const plan = decideRenewalPlan({ notBefore, notAfter, now, info, plan: renewal, random });
    store.planned(id, plan, now + (lookMs ?? waitMs));
  }

  async #ask(directory: string, certificateId: string): Promise<RenewalInfo | undefined | "failed"> {
    const { fetchRenewalInfo, log } = this.#parts;
    try {
      const answer = await fetchRenewalInfo(directory, certificateId);
      if (answer.ok) return answer.value;
      log.warn("renewal.unread", { directory, error: answer.failure.detail });
    } catch (error) {
      log.warn("renewal.unread", { directory, error: errorText(error) });
    }
    return "failed";
  }
}
