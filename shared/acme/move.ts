/** How an order gets from one stage to the next. Pure: what it returns is stored before anything else is done. */
import type { AcmeOrder, OrderStep } from "./order.ts";
import type { Issuing, OrderParts, Trouble } from "./ports.ts";
import type { Ending, Progress, Stage } from "./progress.ts";

/** What a step has at hand. */
export interface Context {
  readonly order: AcmeOrder;
  readonly parts: OrderParts;
  readonly progress: Progress;
  readonly now: number;
}

export interface GoingOn {
  readonly kind: "goes-on";
  readonly progress: Progress;
  readonly waitMs: number;
  readonly words: string;
  readonly trouble?: Trouble | undefined;
}

export type Move = GoingOn | { readonly kind: "ends"; readonly step: OrderStep };

type Changes = Partial<Omit<Progress, "version" | "stage" | "since" | "waits">>;

/** To the next stage, at once. Whoever was asked has answered. */
export function goOn({ progress, now }: Context, stage: Stage, words: string, changes: Changes = {}): GoingOn {
  return {
    kind: "goes-on",
    progress: { ...progress, failing: null, ...changes, stage, since: now, waits: 0 },
    waitMs: 0,
    words,
    trouble: changes.trouble ?? progress.trouble,
  };
}

export interface Wait {
  readonly ms: number;
  readonly words: string;
  readonly trouble?: Trouble | undefined;
  readonly changes?: Changes | undefined;
  /** The same stage with other fields. */
  readonly stage?: Stage | undefined;
}

/** Longer waits are interrupted: what they wait for may have changed. */
const maxWaitMs = 6 * 3_600_000;

/** The same stage again, later. */
export function waitFor({ progress }: Context, { ms, words, trouble, changes, stage }: Wait): Move {
  const waitMs = Math.round(Math.min(Math.max(1, ms), maxWaitMs));
  const { spentMs, waits } = progress;
  return {
    kind: "goes-on",
    progress: { ...progress, spentMs: spentMs + waitMs, ...changes, stage: stage ?? progress.stage, waits: waits + 1 },
    waitMs,
    words,
    trouble: trouble ?? progress.trouble,
  };
}

/** How long the order has been in this stage; zero after the clock was set back. */
export function waitedMs({ progress, now }: Context): number {
  return Math.max(0, now - progress.since);
}

/** Looks or tries that have to have been made before time alone can tell that something is over: clocks jump. */
const minWaits = 5;
const minFailures = 8;

export function hasWaited(context: Context, patienceMs: number): boolean {
  return context.progress.waits >= minWaits && waitedMs(context) > patienceMs;
}

/** The CA with this directory, unless the configuration has lost it since. */
export function issuingOf({ parts }: Context, directory: string): Issuing | undefined {
  return parts.issuing.find((issuing) => issuing.directory === directory);
}

/** The failures in a row, with the one that has just been met. */
export function failingNow({ progress, now }: Context): { since: number; times: number } {
  const { since, times } = progress.failing ?? { since: now, times: 0 };
  return { since, times: times + 1 };
}

/** Whether they have lasted for longer than that, as time and count agree. */
export function hasFailed(context: Context, patienceMs: number): boolean {
  const { since, times } = failingNow(context);
  return times > minFailures && context.now - since > patienceMs;
}

/** The order is to be ended; what was written for it is taken away first. */
export function endAs(context: Context, ending: Ending, words: string, changes: Changes = {}): Move {
  return goOn(context, { name: "clean-up", ending }, words, changes);
}

export function failWith(context: Context, trouble: Trouble): Move {
  return endAs(context, { kind: "failed", trouble }, "the order has failed", { trouble });
}

/** Let's Encrypt allows 5 failed validations of a name in an hour. */
const attemptDelaysMs = [5 * 60_000, 15 * 60_000, 60 * 60_000];

/** A refusal that another order may not meet. After {@link attemptDelaysMs} no more attempts are made. */
export function failAttempt(context: Context, trouble: Trouble): Move {
  const { attempts } = context.progress;
  const delayMs = attemptDelaysMs[attempts];
  if (delayMs === undefined) return failWith(context, trouble);
  const ending = { kind: "again", at: context.now + delayMs } as const;
  return endAs(context, ending, "the attempt has failed", { attempts: attempts + 1, trouble });
}
