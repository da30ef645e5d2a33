import type { Clock } from "../../../shared/clock.ts";
import type { Member } from "./member.ts";

/** A call that was led to a provider may wait for its turn, or for another attempt, before it goes there. */
const graceMs = 60_000;
const pollMs = 1_000;

/** Closes a provider that is in use no more, after the calls that know it are done, or when the node stops. */
export async function retire(member: Member, clock: Clock, signal: AbortSignal): Promise<void> {
  member.close();
  try {
    await clock.sleep(graceMs, signal);
    while (member.attempts.outstanding > 0) await clock.sleep(pollMs, signal);
  } catch {
    // the node stops
  }
  await member.provider[Symbol.asyncDispose]();
}
