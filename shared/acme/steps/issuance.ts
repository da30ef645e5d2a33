/** From a validated order to a certificate that was looked at. */
import type { CaOrder } from "../ca.ts";
import { checkChain } from "../chain.ts";
import { endAs, failAttempt, goOn, hasWaited, issuingOf, waitFor, type Context, type Move } from "../move.ts";
import type { StageOf } from "../progress.ts";
import { afterFailure, isFinal } from "../setback.ts";
import { diagnose } from "./validation.ts";
import { goByStatus } from "./order-status.ts";
import { caName, lengthInWords } from "../words.ts";
import { decideBackoffMs } from "../../backoff.ts";

const pollBackoff = { baseMs: 100, maxMs: 15_000 };
const issuePatienceMs = 3_600_000;
const maxFinalizations = 5;

export async function finalize(context: Context, { order, times }: StageOf<"finalize">): Promise<Move> {
  const issuing = issuingOf(context, order.directory);
  if (!issuing) return goOn(context, { name: "new", notBefore: context.now }, "looking for a CA");
  const answer = await issuing.ca.finalize(order, context.order.csr);
  if (answer.ok) return afterStatus(context, { name: "issue", order, times: times + 1 }, answer.value);
  const { failure } = answer;
  // It may have been done before a crash: the order's state tells.
  if (failure.kind === "refused" && !isFinal(failure) && failure.type !== "caa")
    return goOn(context, { name: "issue", order, times: times + 1 }, `waiting for ${caName(order.directory)} to issue`);
  return afterFailure(context, failure, order.directory);
}

/** Looks at the order until the CA has issued. */
export async function issue(context: Context, stage: StageOf<"issue">): Promise<Move> {
  const issuing = issuingOf(context, stage.order.directory);
  if (!issuing) return goOn(context, { name: "new", notBefore: context.now }, "looking for a CA");
  const answer = await issuing.ca.readOrder(stage.order.url);
  if (!answer.ok) return afterFailure(context, answer.failure, stage.order.directory);
  return afterStatus(context, stage, answer.value);
}

function afterStatus(context: Context, stage: StageOf<"issue">, found: CaOrder): Move | Promise<Move> {
  const { parts, progress } = context;
  const { order, times } = stage;
  const { status, certificate, error, retryAfterMs = 0 } = found;
  const issuing = status === "processing" || (status === "valid" && certificate === undefined);
  if (status === "invalid") return diagnose(context, order, error);
  if (status === "ready" ? times >= maxFinalizations : issuing && hasWaited(context, issuePatienceMs))
    return failAttempt(context, {
      detail: `${caName(order.directory)} has validated the names, but issues no certificate.`,
      remedy: "Nothing to do: it is ordered again. If it lasts, see the CA's status page.",
    });
  if (!issuing) return goByStatus(context, { order, found, times });
  const ms = Math.max(retryAfterMs, decideBackoffMs(progress.waits, { ...pollBackoff, random: parts.random }));
  const words = `waiting for ${caName(order.directory)} to issue: next look in ${lengthInWords(ms)}`;
  if (progress.stage.name === "issue") return waitFor(context, { ms, words, changes: { failing: null } });
  return { ...goOn(context, stage, words), waitMs: ms };
}

export async function download(context: Context, { order, certificate }: StageOf<"download">): Promise<Move> {
  const issuing = issuingOf(context, order.directory);
  if (!issuing) return goOn(context, { name: "new", notBefore: context.now }, "looking for a CA");
  const answer = await issuing.ca.download(certificate);
  if (!answer.ok) return afterFailure(context, answer.failure, order.directory);
  const { csr, hostnames } = context.order;
  const verdict = checkChain(answer.value, { csr, hostnames, now: context.now });
  if (!verdict.ok)
    return failAttempt(context, {
      detail: `The certificate from ${caName(order.directory)} ${verdict.fault}.`,
      remedy: "Nothing to do: it is ordered again. If it lasts, see that this machine's clock is right.",
    });
  const { notBefore, notAfter } = verdict;
  const ending = {
    kind: "issued",
    directory: order.directory,
    certificate: answer.value,
    notBefore,
    notAfter,
  } as const;
  return endAs(context, ending, "taking the challenge's records away");
}
