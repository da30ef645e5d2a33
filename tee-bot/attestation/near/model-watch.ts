import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { ModelReport } from "./model-report.ts";
import { decideModelStanding, distrust, unseenStanding, type ModelStanding } from "./model-standing.ts";

export interface ModelWatchOptions {
  /** Of the log: whose models they are. */
  readonly provider: string;
  /** Throws when there is nothing to be seen. */
  readonly verify: (model: string, signal: AbortSignal) => Promise<ModelReport>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Another state of a model, or newer evidence. */
  readonly onChange: (model: string, standing: ModelStanding) => void;
}

/** A report of two quotes costs some 50 ms of CPU: calls go on in between. */
const pauseMs = 250;
const maxModels = 500;
/** An unknown key of an answer makes a model looked at soon, but not all the time. */
const minGapMs = 5_000;

/** Looks at the evidence of models, one after the other, again and again. */
export class ModelWatch implements AsyncDisposable {
  readonly #options: ModelWatchOptions;
  readonly #standings = new Map<string, ModelStanding>();
  readonly #lookedAt = new Map<string, number>();
  readonly #renewals = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();
  /** Of the looks: each begins when the one before it has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #wake = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ModelWatchOptions) {
    this.#options = options;
  }

  /** Undefined: it is not watched. */
  standingOf(model: string): ModelStanding | undefined {
    return this.#standings.get(model);
  }

  /** The keys of TLS that the gateway's quotes name, as far as they are good now. */
  get gatewayKeys(): ReadonlySet<string> {
    const keys = [...this.#standings.values()].map(({ report }) => report?.gatewayKey);
    return new Set(keys.filter((key) => key !== undefined));
  }

  /** Watches these models from now on, and no other. */
  follow(models: readonly string[]): void {
    const wanted = new Set(models.slice(0, maxModels));
    const now = this.#options.clock.now();
    for (const [model, { distrustedUntil = now }] of this.#standings)
      if (!wanted.has(model) && distrustedUntil <= now) this.#forget(model); // who is distrusted is so when listed again
    for (const model of wanted) if (!this.#standings.has(model)) this.#standings.set(model, unseenStanding(now));
    this.#running ??= this.#run();
    this.#wake.abort();
  }

  /** Looks at it again, soon. Resolves with what is then held. */
  async renew(model: string): Promise<ModelStanding | undefined> {
    let renewal = this.#renewals.get(model);
    if (!renewal) {
      renewal = this.#lookSoon(model).finally(() => this.#renewals.delete(model));
      this.#renewals.set(model, renewal);
    }
    await renewal;
    return this.#standings.get(model);
  }

  /** Its gateway has shown a key that is not known: one model's report tells whether that is its new one. */
  async renewGateway(): Promise<void> {
    const [model] = [...this.#standings].find(([, { report }]) => report !== undefined) ?? [];
    if (model !== undefined) await this.renew(model);
  }

  /** An answer of it was not what its TEE has signed. */
  distrust(model: string, reason: string): void {
    const before = this.#standings.get(model);
    if (before) this.#set(model, before, distrust(before, reason, this.#options.clock.now()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
    await this.#last.catch(() => {});
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const ending = this.#ending.signal;
    while (!ending.aborted) {
      this.#wake = new AbortController();
      const [next] = [...this.#standings].toSorted(([, a], [, b]) => a.dueAt - b.dueAt);
      const restMs = next ? Math.max(pauseMs, next[1].dueAt - clock.now()) : Number.POSITIVE_INFINITY;
      if (next && next[1].dueAt <= clock.now()) await this.#look(next[0]);
      await rest(clock, restMs, AbortSignal.any([ending, this.#wake.signal]));
    }
  }

  async #lookSoon(model: string): Promise<void> {
    const { clock } = this.#options;
    const waitMs = (this.#lookedAt.get(model) ?? Number.NEGATIVE_INFINITY) + minGapMs - clock.now();
    if (waitMs > 0) await rest(clock, waitMs, this.#ending.signal);
    await this.#look(model);
  }

  #look(model: string): Promise<void> {
    const look = this.#last.catch(() => {}).then(() => this.#verify(model));
    this.#last = look;
    return look;
  }

  async #verify(model: string): Promise<void> {
    const { verify, clock, random } = this.#options;
    const { signal } = this.#ending;
    if (signal.aborted || !this.#standings.has(model)) return;
    this.#lookedAt.set(model, clock.now());
    const look = await verify(model, signal).catch((error: unknown) => errorText(error));
    const before = this.#standings.get(model);
    if (signal.aborted || !before) return;
    this.#set(model, before, decideModelStanding(before, look, clock.now(), random));
  }

  #set(model: string, before: ModelStanding, standing: ModelStanding): void {
    this.#standings.set(model, standing);
    if (before.state !== standing.state || before.reason !== standing.reason) this.#tell(model, standing);
    this.#options.onChange(model, standing);
  }

  #tell(model: string, { state, reason }: ModelStanding): void {
    const { log, provider } = this.#options;
    const fields = { provider, model, state, ...(reason !== undefined && { reason }) };
    if (state === "refused") log.warn("model.distrusted", fields);
    else if (state === "claimed") log.info("model.unverified", fields);
    else if (state === "simulated") log.warn("model.verified", fields);
    else log.info("model.verified", fields);
  }

  #forget(model: string): void {
    this.#standings.delete(model);
    this.#lookedAt.delete(model);
  }
}

async function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const maxRestMs = 60_000;
  await clock.sleep(Math.min(ms, maxRestMs), signal).catch(() => {});
}
