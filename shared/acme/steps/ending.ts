/** Leaves things as they were found, whatever became of the order, and says what did. */
import { goOn, issuingOf, waitFor, type Context, type Move } from "../move.ts";
import type { OrderStep } from "../order.ts";
import type { Outcome, StageOf } from "../progress.ts";
import { errorText } from "../../errors.ts";
import { timeInWords } from "../words.ts";

/** A certificate does not wait for long because something else cannot be tidied up: the zone sweeps old records. */
const maxTries = 3;
const retryMs = 1_000;

export async function cleanUp(context: Context, { ending }: StageOf<"clean-up">): Promise<Move> {
  const { order, parts, progress } = context;
  const failed = await failureOf(async () => {
    for (const hostname of order.hostnames) parts.alpn?.withdraw(hostname);
    if (progress.presented) await parts.records.withdraw(order.id);
  });
  if (failed !== undefined && progress.waits < maxTries) return retry(context, failed);
  if (ending.kind !== "again")
    return goOn(context, { name: "settle", outcome: ending }, "settling the order", { presented: false });
  const words = ending.at > context.now ? `waiting for another attempt at ${timeInWords(ending.at)}` : "beginning anew";
  return goOn(context, { name: "new", notBefore: ending.at }, words, { presented: false });
}

/** Gives back what the order has not used, and ends it. */
export async function settle(context: Context, { outcome }: StageOf<"settle">): Promise<Move> {
  const { order, progress } = context;
  const failed = await failureOf(async () => {
    for (const directory of progress.places) {
      const issued = outcome.kind === "issued" && outcome.directory === directory;
      await issuingOf(context, directory)?.admissions.settle(order.id, issued ? "issued" : "failed");
    }
  });
  if (failed !== undefined && progress.waits < maxTries) return retry(context, failed);
  return { kind: "ends", step: stepOf(outcome) };
}

function stepOf(outcome: Outcome): OrderStep {
  if (outcome.kind === "failed") return { status: "invalid", trouble: outcome.trouble };
  const { certificate, notBefore, notAfter, directory } = outcome;
  return { status: "valid", certificate, notBefore, notAfter, directory };
}

function retry(context: Context, detail: string): Move {
  return waitFor(context, {
    ms: retryMs * (context.progress.waits + 1),
    words: "tidying up",
    trouble: { detail: `Tidying up after the order failed: ${detail}.`, remedy: "Nothing to do: it is tried again." },
  });
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
