import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Session } from "./session.ts";
import { betterThan, decideRetryMs, type Transport } from "./transport.ts";

/** Longer than a relay needs to welcome a node, and then to miss the connections that never came. */
const trialMs = 30_000;

export interface BetterTransportOptions {
  /** The fallback that serves meanwhile. */
  current: Transport;
  /** Opens a session beside the one that serves. */
  open: (transport: Transport) => Session;
  clock: Clock;
  log: Log;
  random: () => number;
}

/**
 * Tries from time to time what is better than the fallback in use, beside it. Resolves with a session that has stood
 * its trial, or with undefined once `signal` aborts; a session that has not is closed.
 */
export async function findBetterTransport(
  { current, open, clock, log, random }: BetterTransportOptions,
  signal: AbortSignal,
): Promise<{ session: Session; transport: Transport } | undefined> {
  const better = betterThan(current);
  while (better.length > 0 && (await slept(clock, decideRetryMs(random), signal))) {
    for (const transport of better) {
      const session = open(transport);
      const problem = await Promise.race([
        session.over.then(({ detail }) => detail),
        session.unfit,
        slept(clock, trialMs, signal).then(() => undefined),
      ]);
      if (signal.aborted) {
        session.destroy();
        return undefined;
      }
      if (problem === undefined && session.up) return { session, transport };
      log.info("transport.kept", { transport: current, tried: transport, problem });
      session.giveWay();
    }
  }
  return undefined;
}

/** False when the signal aborted first. */
function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}
