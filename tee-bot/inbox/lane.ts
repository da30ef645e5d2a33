/** What was handed out of one hook, one by one and in its order. */
import type { HookHandler } from "./hook.ts";
import type { InboxKey } from "./inbox-key.ts";
import { openDelivery } from "./open-delivery.ts";
import type { Outcomes } from "./outcomes.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Outcome, SealedDelivery } from "../../shared/inbox/messages.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** A handler that takes longer has failed, whatever becomes of it. */
export const handlerDeadlineMs = 30_000;

export interface LaneOptions {
  readonly node: NodeId;
  readonly key: InboxKey;
  readonly epoch: number;
  readonly handler: HookHandler;
  readonly outcomes: Outcomes;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlineMs?: number;
}

/** Resolves once the edge knows what became of each, or will hand out again what it does not know of. */
export async function runLane(
  deliveries: readonly SealedDelivery[],
  options: LaneOptions,
  signal: AbortSignal,
): Promise<void> {
  const { outcomes, epoch } = options;
  const told: Promise<void>[] = [];
  for (const delivery of deliveries) {
    if (signal.aborted) break;
    const outcome = await handle(delivery, options, signal);
    if (outcome === "failed" && signal.aborted) break; // no fault of its own
    told.push(outcomes.tell(epoch, { sequence: delivery.sequence, outcome }, signal));
    if (outcome === "failed") break; // those behind it wait for it
  }
  await Promise.allSettled(told);
}

async function handle(
  sealed: SealedDelivery,
  { node, key, handler, clock, log, deadlineMs = handlerDeadlineMs }: LaneOptions,
  signal: AbortSignal,
): Promise<Outcome["outcome"]> {
  const { hook, sequence, attempt } = sealed;
  const startedAt = clock.now();
  try {
    const delivery = await openDelivery(sealed, { node, key });
    try {
      await within(deadlineMs, (limit) => handler.onHook(hook, delivery, limit), clock, signal);
      const [bytes, durationMs] = [delivery.body.length, clock.now() - startedAt];
      log.debug("webhook.handled", { hook, sequence, attempt, bytes, durationMs });
      return "done";
    } catch (error) {
      log.warn("webhook.failed", { hook, sequence, attempt, error: wordsOf(error) });
      return "failed";
    }
  } catch (error) {
    log.error("webhook.refused", { hook, sequence, error: wordsOf(error) });
    return "refused";
  }
}

/** Rejects when `signal` aborts or the time is over, also where the work does not listen. */
async function within(
  ms: number,
  work: (limit: AbortSignal) => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const [late, ended] = [new AbortController(), new AbortController()];
  const timeUp = clock.sleep(ms, AbortSignal.any([signal, ended.signal])).then(() => {
    late.abort();
    throw new AppError("upstream-timeout", `Its handler took more than ${ms / 1_000} seconds.`);
  });
  try {
    await Promise.race([work(AbortSignal.any([signal, late.signal])), timeUp]);
  } finally {
    ended.abort();
  }
}

/** A handler's errors may repeat what a webhook says; those of our vocabulary do not. */
function wordsOf(error: unknown): string {
  if (error instanceof AppError) return error.detail;
  return error instanceof Error ? error.name : typeof error;
}
