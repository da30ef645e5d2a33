/** What is done after an attempt that failed before the client had seen anything of it. */
import type { Candidate } from "../routing/route.ts";
import type { Trouble } from "./attempts/trouble.ts";

export type Next =
  /** The same provider once more. */
  | { readonly do: "repeat"; readonly afterMs: number }
  /** The candidate at this place of the route. */
  | { readonly do: "move"; readonly to: number }
  /** The client is told. */
  | { readonly do: "answer" };

/** Where a call stands on its route. */
export interface Place {
  readonly candidates: readonly Candidate[];
  readonly at: number;
  /** Made of the candidate at this place. */
  readonly attemptsHere: number;
  readonly attempts: number;
}

export interface RetryRules {
  readonly perProvider: number;
  readonly total: number;
  readonly waitSeconds: number;
}

const minBackOffMs = 100;
const firstBackOffMs = 400;
const maxBackOffMs = 1_000;

export function decideNext(trouble: Trouble, place: Place, rules: RetryRules, random: () => number): Next {
  if (place.attempts >= rules.total) return { do: "answer" };
  switch (trouble.kind) {
    case "client-fault":
      return { do: "answer" };
    case "transient":
    case "limited": {
      const { retryAfterMs } = trouble;
      const mayWait = retryAfterMs === undefined || retryAfterMs <= rules.waitSeconds * 1_000;
      if (place.attemptsHere >= rules.perProvider || !mayWait) return moveOn(place);
      return { do: "repeat", afterMs: retryAfterMs ?? backOffMs(place.attemptsHere, random) };
    }
    case "key-refused":
      return moveOn(place, ({ provider }, here) => provider !== here.provider);
    case "too-long":
      return moveOn(place, ({ contextLength }, here) => (contextLength ?? Infinity) > (here.contextLength ?? 0));
    case "silent":
    case "unfit":
    case "absent":
    case "unsupported":
      return moveOn(place);
  }
}

/** Full jitter between a least pause and one that grows, so that callers who failed together do not return together. */
export function backOffMs(attemptsHere: number, random: () => number): number {
  const most = Math.min(maxBackOffMs, firstBackOffMs * 2 ** (attemptsHere - 1));
  return minBackOffMs + random() * (most - minBackOffMs);
}

function moveOn(
  { candidates, at }: Place,
  suits: (candidate: Candidate, here: Candidate) => boolean = () => true,
): Next {
  const here = candidates[at];
  const to = candidates.findIndex((candidate, index) => index > at && here !== undefined && suits(candidate, here));
  return to < 0 ? { do: "answer" } : { do: "move", to };
}
