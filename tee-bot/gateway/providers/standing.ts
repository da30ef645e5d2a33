import type { Location, ProviderError } from "./provider.ts";

/** `asleep`: its machine is off, or its server does not run, which is no error. */
export type ProviderState = "up" | ProviderError["kind"];

/** What is known of a provider by looking at it. */
export interface Standing {
  readonly state: ProviderState;
  /** Unix milliseconds. */
  readonly since: number;
  /** Why it is not up. */
  readonly reason: string | undefined;
  /** Looks in a row that found nothing good. */
  readonly failures: number;
}

export type Look = "up" | { readonly kind: ProviderError["kind"]; readonly reason: string };

/** One odd answer does not take a provider out: many stumble once under load. */
const oddAnswersForgiven = 1;

/**
 * What a look at a provider makes of what was known of it. `answersCalls`: it has answered one lately, which proves more
 * than a list that does not come, as from a server that is busy with just that call.
 */
export function decideStanding(before: Standing, look: Look, now: number, answersCalls = false): Standing {
  if (look === "up") return { ...stay(before, "up", now), reason: undefined, failures: 0 };
  const failures = before.failures + 1;
  const isForgiven = answersCalls || (look.kind === "broken" && failures <= oddAnswersForgiven);
  if (before.state === "up" && look.kind !== "asleep" && isForgiven) return { ...before, failures };
  return { ...stay(before, look.kind, now), reason: look.reason, failures };
}

function stay(before: Standing, state: ProviderState, now: number): Pick<Standing, "state" | "since"> {
  return { state, since: before.state === state ? before.since : now };
}

/** A catalogue in the cloud changes seldom, and each look at it goes over the network. */
const cloudMs = 5 * 60_000;
const soonMs = 500;

/** When to look at it again: soon at one that has just gone, since most come back within seconds. */
export function decideNextLookMs(
  { state, failures }: Pick<Standing, "state" | "failures">,
  { location, everyMs, random }: { location: Location; everyMs: number; random: () => number },
): number {
  const leisureMs = location === "local" ? everyMs : Math.max(everyMs, cloudMs);
  const soon = soonMs * 2 ** Math.min(failures, 20);
  const restMs = {
    up: failures > 0 ? Math.min(soon, leisureMs) : leisureMs,
    asleep: Math.min(soon, everyMs),
    broken: Math.min(Math.max(soon, everyMs), Math.max(everyMs, cloudMs)),
    "refused-key": leisureMs,
  }[state];
  return Math.round(restMs * (0.9 + 0.2 * random()));
}
