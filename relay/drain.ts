/**
 * How a relay goes: it tells edge and nodes first, and goes on taking visitors, since DNS and its caches name it a
 * while longer. When none has come for some time it takes no more, and lets those who are here finish, up to a limit.
 */
import type { Clock } from "../shared/clock.ts";

const lookMs = 25;

export interface DrainFacts {
  /** Since the drain began. */
  sinceMs: number;
  /** Since the last visitor came; undefined when none has. */
  visitorMsAgo: number | undefined;
  tunnels: number;
}

export interface DrainLimits {
  drainMs: number;
  /** So long without a new visitor means that nobody is sent here any more. */
  drainQuietMs: number;
}

/** Whether new visitors are still served: a refusal would cost one that another relay could have had. */
export function decideOpen({ sinceMs, visitorMsAgo, tunnels }: DrainFacts, limits: DrainLimits): boolean {
  if (tunnels === 0) return false; // a closed port sends a visitor to the next address; an alert does not
  const quietForMs = Math.min(sinceMs, visitorMsAgo ?? sinceMs);
  return quietForMs < limits.drainQuietMs && sinceMs < limits.drainMs / 2;
}

export interface DrainOptions {
  limits: DrainLimits;
  /** When the last visitor came, and how many tunnels take visitors. */
  state: () => { lastVisitorAt: number | undefined; tunnels: number };
  /** Takes no new visitor from now on. */
  close: () => void;
  /** Resolves when no visitor is left. */
  emptied: () => Promise<void>;
  clock: Clock;
}

/** Resolves when every visitor has left or the limit has come; those still here are the caller's to end. */
export async function drain({ limits, state, close, emptied, clock }: DrainOptions): Promise<void> {
  const startedAt = clock.now();
  const open = (): boolean => {
    const { lastVisitorAt, tunnels } = state();
    const now = clock.now();
    const visitorMsAgo = lastVisitorAt === undefined ? undefined : now - lastVisitorAt;
    return decideOpen({ sinceMs: now - startedAt, visitorMsAgo, tunnels }, limits);
  };
  while (open()) await clock.sleep(lookMs);
  close();
  const done = new AbortController();
  const leftMs = Math.max(0, startedAt + limits.drainMs - clock.now());
  await Promise.race([emptied(), clock.sleep(leftMs, done.signal).catch(() => {})]);
  done.abort();
}
