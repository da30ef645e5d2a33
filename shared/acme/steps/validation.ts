/** From an open order to one whose names the CA has validated. */
import type { CaAuthorization, CaFailure, ChallengeMethod } from "../ca.ts";
import {
  failAttempt,
  failWith,
  goOn,
  hasWaited,
  issuingOf,
  waitedMs,
  waitFor,
  type Context,
  type Move,
} from "../move.ts";
import type { Presented } from "../ports.ts";
import type { PlacedChallenge, PlacedOrder, StageOf } from "../progress.ts";
import { afterFailure } from "../setback.ts";
import { decideVisibility, troubleOfVisibility } from "../sightings.ts";
import { troubleOf } from "../trouble.ts";
import { caName, lengthInWords, listInWords } from "../words.ts";
import { goByStatus } from "./order-status.ts";
import { decideBackoffMs } from "../../backoff.ts";

const lookBackoff = { baseMs: 250, maxMs: 15_000 };
const pollBackoff = { baseMs: 100, maxMs: 10_000 };
/** Resolvers usually agree within seconds: after that somebody is told which one does not. */
const troubleAfterMs = 60_000;
/** After that one looks seldom. */
const propagationPatienceMs = 10 * 60_000;
const slowLookMs = 60_000;
/** Nothing that is written today will be seen tomorrow. */
const recordsPatienceMs = 24 * 3_600_000;
const validationPatienceMs = 10 * 60_000;
/** DNS has had its chance after that, where there is another way. */
const writePatienceMs = 60_000;
const writeTroubles = 2;

/** What is left to be proved: names whose authorization is still valid are not proved again. */
export async function authorize(context: Context, { order, method }: StageOf<"authorize">): Promise<Move> {
  const issuing = issuingOf(context, order.directory);
  if (!issuing) return goOn(context, { name: "new", notBefore: context.now }, "looking for a CA");
  const answer = await issuing.ca.readAuthorizations(order.authorizations);
  if (!answer.ok) return afterFailure(context, answer.failure, order.directory);
  const refused = answer.value.find(({ status }) => status !== "pending" && status !== "valid");
  if (refused) return failAttempt(context, troubleOf(reasonOf(refused), order.directory));

  const pending = answer.value.filter(({ status }) => status === "pending");
  const challenges = pending.flatMap((authorization) => challengeOf(authorization, method));
  if (pending.length > 0 && challenges.length < pending.length)
    return failWith(context, {
      detail: `${caName(order.directory)} does not offer ${method} for ${listInWords(pending.map(({ hostname }) => hostname))}.`,
      remedy: "Use another CA in ACME_DIRECTORY.",
    });
  if (challenges.length === 0)
    return goOn(context, { name: "issue", order, times: 0 }, `${caName(order.directory)} knows the names already`);
  const words = method === "dns-01" ? "writing the challenge's TXT records" : "answering the challenge over TLS";
  return goOn(context, { name: "present", order, challenges, method, troubles: 0 }, words, {
    ...(method === "dns-01" && { presented: true }),
  });
}

function challengeOf({ hostname, challenges }: CaAuthorization, method: ChallengeMethod): PlacedChallenge[] {
  const offered = challenges.find(({ type }) => type === method);
  return offered ? [{ hostname, url: offered.url, response: offered.response }] : [];
}

function reasonOf({ hostname, status, challenges }: CaAuthorization): CaFailure {
  const error = challenges.find((challenge) => challenge.error)?.error;
  return error
    ? { ...error, kind: "refused", detail: `${hostname}: ${error.detail}` }
    : { kind: "refused", detail: `the authorization of ${hostname} is ${status}.` };
}

/** Writes the TXT records, or gets ready to answer over TLS. */
export async function present(context: Context, stage: StageOf<"present">): Promise<Move> {
  const { order, parts } = context;
  const { order: placed, challenges, method } = stage;
  const challenged = { order: placed, challenges, method };
  if (method === "tls-alpn-01") {
    await answerOverTls(context, challenges);
    return goOn(context, { name: "complete", ...challenged, next: 0 }, "telling the CA");
  }
  const presented = await parts.records.present(order.id, recordsOf(challenges));
  if (presented.state === "written")
    return goOn(context, { name: "propagate", ...challenged }, "waiting for DNS: the records are written");
  return afterNoRecords(context, stage, presented);
}

function afterNoRecords(
  context: Context,
  stage: StageOf<"present">,
  { retryAfterMs, trouble }: Extract<Presented, { state: "pending" }>,
): Move {
  const { parts } = context;
  const troubles = stage.troubles + (trouble ? 1 : 0);
  const given = trouble ?? {
    detail: "The challenge's TXT records could not be written.",
    remedy: "See the edge's log.",
  };
  if (trouble && parts.alpn && (troubles >= writeTroubles || waitedMs(context) > writePatienceMs))
    return goOn(
      context,
      { name: "authorize", order: stage.order, method: "tls-alpn-01" },
      "DNS cannot be written: the CA is asked to validate over TLS",
      { trouble },
    );
  if (hasWaited(context, recordsPatienceMs)) return failWith(context, given);
  return waitFor(context, {
    ms: retryAfterMs,
    words: `waiting for the challenge's TXT records to be written: next try in ${lengthInWords(retryAfterMs)}`,
    trouble,
    stage: { ...stage, troubles },
    changes: { failing: null },
  });
}

/** Looks from outside, as the CA will. */
export async function propagate(context: Context, { order, challenges, method }: StageOf<"propagate">): Promise<Move> {
  const { parts, progress } = context;
  const visibility = decideVisibility(await parts.propagation.look(recordsOf(challenges)));
  if (visibility.visible)
    return goOn(
      context,
      { name: "complete", order, challenges, method, next: 0 },
      `telling ${caName(order.directory)}`,
    );
  const late = hasWaited(context, propagationPatienceMs);
  const trouble = hasWaited(context, troubleAfterMs) ? troubleOfVisibility(visibility, waitedMs(context)) : undefined;
  if (trouble && hasWaited(context, recordsPatienceMs)) return failWith(context, trouble);
  const ms = late ? slowLookMs : decideBackoffMs(progress.waits, { ...lookBackoff, random: parts.random });
  const words = `waiting for DNS: ${visibility.words}, next look in ${lengthInWords(ms)}`;
  return waitFor(context, { ms, words, trouble, changes: { failing: null } });
}

/** Tells the CA that one challenge can be looked at. One that it has looked at already is refused, which is as good. */
export async function complete(context: Context, stage: StageOf<"complete">): Promise<Move> {
  const { order, challenges, method, next } = stage;
  const issuing = issuingOf(context, order.directory);
  const challenge = challenges[next];
  const name = caName(order.directory);
  if (!issuing || !challenge)
    return goOn(context, { name: "validate", order, challenges, method }, `waiting for ${name} to validate`);
  if (method === "tls-alpn-01") await answerOverTls(context, challenges);
  const answer = await issuing.ca.completeChallenge(challenge.url);
  if (!answer.ok && answer.failure.kind !== "refused") return afterFailure(context, answer.failure, order.directory);
  if (next + 1 < challenges.length) return goOn(context, { ...stage, next: next + 1 }, `telling ${name}`);
  return goOn(context, { name: "validate", order, challenges, method }, `waiting for ${name} to validate`);
}

export async function validate(context: Context, { order, challenges, method }: StageOf<"validate">): Promise<Move> {
  const { parts, progress } = context;
  const issuing = issuingOf(context, order.directory);
  if (!issuing) return goOn(context, { name: "new", notBefore: context.now }, "looking for a CA");
  if (method === "tls-alpn-01") await answerOverTls(context, challenges); // this process may have started since
  const answer = await issuing.ca.readOrder(order.url);
  if (!answer.ok) return afterFailure(context, answer.failure, order.directory);
  const { status, retryAfterMs = 0, error } = answer.value;
  const name = caName(order.directory);
  if (status === "invalid") return diagnose(context, order, error);
  if (status !== "pending") return goByStatus(context, { order, found: answer.value, times: 0 });
  if (hasWaited(context, validationPatienceMs))
    return failAttempt(context, {
      detail: `${name} has not validated the names within ${lengthInWords(waitedMs(context))}.`,
      remedy: "Nothing to do: it is ordered again. If it lasts, see the CA's status page.",
    });
  const ms = Math.max(retryAfterMs, decideBackoffMs(progress.waits, { ...pollBackoff, random: parts.random }));
  return waitFor(context, { ms, words: `waiting for ${name} to validate`, changes: { failing: null } });
}

/** Which name the CA could not validate, and why. */
export async function diagnose(context: Context, order: PlacedOrder, error: CaFailure | undefined): Promise<Move> {
  const answer = await issuingOf(context, order.directory)?.ca.readAuthorizations(order.authorizations);
  const refused = answer?.ok
    ? answer.value.find(({ status }) => status !== "valid" && status !== "pending")
    : undefined;
  const reason: CaFailure = refused
    ? reasonOf(refused)
    : (error ?? { kind: "refused", detail: "the order has become invalid." });
  return failAttempt(context, troubleOf(reason, order.directory));
}

async function answerOverTls({ parts }: Context, challenges: readonly PlacedChallenge[]): Promise<void> {
  for (const { hostname, response } of challenges) await parts.alpn?.present(hostname, response);
}

const recordsOf = (challenges: readonly PlacedChallenge[]) =>
  challenges.map(({ hostname, response }) => ({ hostname, value: response }));
