import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { Attempts } from "./attempts.ts";
import { ProviderError, type Provider, type ProviderModel } from "./provider.ts";
import { decideNextLookMs, decideStanding, type Look, type Standing } from "./standing.ts";

export interface MemberOptions {
  /** Between two looks, when all is well. */
  everyMs: () => number;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Found by looking for it: that it is not there is no news. */
  discovered: boolean;
  /** State or models are not what they were. */
  onChange: () => void;
}

/** Calls may ask for a look; they do not make one each. */
const minGapMs = 1_000;

/** One provider while it is in use: looked at from time to time, its models and its attempts remembered. */
export class Member {
  readonly provider: Provider;
  readonly attempts: Attempts;
  readonly #options: MemberOptions;
  readonly #ending = new AbortController();
  #standing: Standing;
  #listed: readonly ProviderModel[] = [];
  #models: readonly ProviderModel[] = [];
  #seen = "[]";
  #wasSeen = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #wake = new AbortController();

  constructor(provider: Provider, options: MemberOptions) {
    this.provider = provider;
    this.#options = options;
    this.#standing = { state: "asleep", since: options.clock.now(), reason: "not looked at yet", failures: 0 };
    const { log, clock, random } = options;
    this.attempts = new Attempts({
      clock,
      random,
      isAway: () => this.#standing.state === "asleep",
      onBreaker: ({ state, reason, retryInMs }) => {
        if (state === "closed") log.info("breaker.closed", { provider: provider.id });
        else log.warn("breaker.opened", { provider: provider.id, reason, retryInMs });
      },
    });
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** As they were seen last; of one that is asleep, what it will have again. */
  get models(): readonly ProviderModel[] {
    return this.#models;
  }

  /** Looks at it now, and then until the member is closed. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
    void this.#keepLooking();
  }

  /** Looks again soon, unless that was done just now. */
  check(): void {
    if (this.#options.clock.now() - this.#lookedAt >= minGapMs) this.#wake.abort();
  }

  /** A call has found nobody listening. */
  refused(): void {
    if (this.#isLooking || this.#standing.state !== "up") return;
    this.#note({ kind: "asleep", reason: "Nothing listens there." });
    this.#wake.abort();
  }

  close(): void {
    this.#ending.abort();
  }

  async #keepLooking(): Promise<void> {
    const { everyMs, random, clock } = this.#options;
    const ending = this.#ending.signal;
    while (!ending.aborted) {
      const { location } = this.provider;
      const restMs = decideNextLookMs(this.#standing, { location, everyMs: everyMs(), random });
      await clock.sleep(restMs, AbortSignal.any([ending, this.#wake.signal])).catch(() => {});
      if (!ending.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#ending;
    this.#wake = new AbortController();
    this.#isLooking = true;
    this.#lookedAt = clock.now();
    try {
      const models = await this.provider.fetchModels(signal);
      if (!signal.aborted) this.#note("up", models);
    } catch (error) {
      if (signal.aborted) return;
      const kind = error instanceof ProviderError ? error.kind : "broken";
      this.#note({ kind, reason: errorText(error) });
    } finally {
      this.#isLooking = false;
    }
  }

  #note(look: Look, listed = this.#listed): void {
    const before = this.#standing;
    const { attestor } = this.provider;
    if (listed !== this.#listed) attestor?.follow(listed, () => this.#judge());
    this.#listed = listed;
    const models = attestor ? listed.map((model) => attestor.judge(model)) : listed;
    this.#standing = decideStanding(before, look, this.#options.clock.now(), this.attempts.firstByteMs !== undefined);
    const seen = JSON.stringify(models);
    const isOther = this.#standing.state !== before.state;
    const isNews = isOther || this.#standing.reason !== before.reason || seen !== this.#seen;
    this.#models = models;
    this.#seen = seen;
    if (isOther && look === "up") this.attempts.reset();
    if (isOther || !this.#wasSeen) this.#tell(before);
    this.#wasSeen = true;
    if (isNews) this.#options.onChange();
  }

  /** Something else is known of the models' evidence. */
  #judge(): void {
    const { attestor } = this.provider;
    if (!attestor || this.#ending.signal.aborted) return;
    this.#models = this.#listed.map((model) => attestor.judge(model));
    this.#seen = JSON.stringify(this.#models);
    this.#options.onChange();
  }

  #tell(before: Standing): void {
    const { log, discovered } = this.#options;
    const { state, reason } = this.#standing;
    const fields = { provider: this.provider.id, state, reason, models: this.#models.length };
    if (state === "up") log.info("provider.found", fields);
    else if (discovered && before.state !== "up") log.debug("provider.missed", fields);
    else if (state === "broken" || state === "refused-key") log.warn("provider.failed", fields);
    else log.info("provider.slept", fields);
  }
}
