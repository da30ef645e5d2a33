/** From the wish for a certificate to an order at a CA that has room for it. */
import { goOn, issuingOf, waitFor, type Context, type Move } from "../move.ts";
import type { CaFailure } from "../ca.ts";
import type { Admission, Issuing } from "../ports.ts";
import type { PlacedOrder, StageOf } from "../progress.ts";
import { afterFailure, isFinal, isPassedOver, passOver, refusedMs } from "../setback.ts";
import { troubleOf } from "../trouble.ts";
import { caName, lengthInWords, timeInWords } from "../words.ts";
import { goByStatus } from "./order-status.ts";

/** The longest pause there is between two attempts: more can only be a clock that was set back. */
const maxPauseMs = 60 * 60_000;
const maxQueueWaitMs = 15 * 60_000;
/** How long one waits for the preferred CA before another is asked, and how often. */
const preferredPatienceMs = 60_000;
const preferredTries = 3;

/** The first CA that admits the order, in the order of preference; a place in the queue of the first if none does. */
export async function admit(context: Context, { notBefore }: StageOf<"new">): Promise<Move> {
  const { progress, parts, now } = context;
  const pauseMs = notBefore - now;
  if (pauseMs > 0 && pauseMs <= maxPauseMs)
    return waitFor(context, { ms: pauseMs, words: `waiting for another attempt at ${timeInWords(now + pauseMs)}` });
  const candidates = parts.issuing.filter(({ directory }) => !isPassedOver(context, directory));
  const [first] = candidates;
  if (!first) return waitForAny(context);

  for (const issuing of candidates.length > 1 ? candidates : []) {
    const admission = await ask(context, issuing, false);
    if (admission.admitted) return admitted(context, issuing);
  }
  const admission = await ask(context, first, true);
  if (admission.admitted) return admitted(context, first);
  const { place, estimatedAt, retryAfterMs } = admission;
  const turn = estimatedAt > now ? `, turn in about ${lengthInWords(estimatedAt - now)}` : "";
  return waitFor(context, {
    ms: Math.min(retryAfterMs, maxQueueWaitMs),
    words: `waiting for room in the limits of ${caName(first.directory)}: place ${place}${turn}`,
    changes: { places: placesWith(progress.places, first.directory), failing: null, spentMs: 0 },
  });
}

function ask({ order }: Context, { directory, admissions }: Issuing, queue: boolean): Promise<Admission> {
  const { id, node, hostnames, replaces } = order;
  return admissions.admit({ order: id, node, hostnames, exempt: replaces?.directory === directory }, { queue });
}

function admitted(context: Context, { directory }: Issuing): Move {
  const { progress } = context;
  const elsewhere = progress.places.some((other) => other !== directory);
  return goOn(context, { name: elsewhere ? "leave" : "open", directory }, `ordering from ${caName(directory)}`, {
    places: placesWith(progress.places, directory),
  });
}

const placesWith = (places: readonly string[], directory: string): string[] => [...new Set([...places, directory])];

/** All of them have been tried; the one that may be asked first is waited for. */
function waitForAny(context: Context): Move {
  const { progress, now } = context;
  const until = Math.min(...progress.passedOver.map((entry) => entry.until));
  const ms = Math.min(Math.max(1_000, until - now), maxPauseMs);
  return waitFor(context, { ms, words: `waiting for any of the CAs: next try in ${lengthInWords(ms)}` });
}

/** Gives up the places that the order has at other CAs than the one that admitted it. */
export async function leave(context: Context, { directory }: StageOf<"leave">): Promise<Move> {
  const others = context.progress.places.filter((other) => other !== directory);
  for (const other of others) await issuingOf(context, other)?.admissions.settle(context.order.id, "failed");
  return goOn(context, { name: "open", directory }, `ordering from ${caName(directory)}`, { places: [directory] });
}

export async function open(context: Context, { directory }: StageOf<"open">): Promise<Move> {
  const { order, now } = context;
  const issuing = issuingOf(context, directory);
  if (!issuing) return goOn(context, { name: "new", notBefore: now }, "looking for a CA");
  const replaces = order.replaces?.directory === directory ? order.replaces.certificateId : undefined;
  const answer = await issuing.ca.createOrder({
    order: order.id,
    hostnames: order.hostnames,
    ...(replaces !== undefined && { replaces }),
  });
  if (!answer.ok) return afterNoOrder(context, answer.failure, directory);
  const { url, finalize, authorizations } = answer.value;
  const placed: PlacedOrder = { directory, url, finalize, authorizations: [...authorizations] };
  return goByStatus(context, { order: placed, found: answer.value, times: 0 });
}

/** Another CA is asked when there is one, at once or after this one has had a moment. */
function afterNoOrder(context: Context, failure: CaFailure, directory: string): Move {
  const { progress, parts, now } = context;
  const others = parts.issuing.filter((other) => other.directory !== directory);
  const useful = others.some(
    (other) => !progress.passedOver.some((entry) => entry.refused && entry.directory === other.directory),
  );
  if (!useful) return afterFailure(context, failure, directory);
  const pass = (untilMs: number, refused: boolean): Move =>
    goOn(context, { name: "new", notBefore: now }, `asking another CA than ${caName(directory)}`, {
      passedOver: passOver(context, { directory, until: now + untilMs, refused }),
      trouble: troubleOf(failure, directory),
    });
  if (isFinal(failure)) return pass(refusedMs, true);
  const waitMs = failure.retryAfterMs ?? 0;
  if (failure.kind === "rate-limited" && waitMs > preferredPatienceMs) return pass(waitMs, false);
  if (failure.kind === "unavailable" && (progress.failing?.times ?? 0) >= preferredTries)
    return pass(10 * preferredPatienceMs, false);
  return afterFailure(context, failure, directory);
}
