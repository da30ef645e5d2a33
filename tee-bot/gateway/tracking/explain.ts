import type { AnswerProof } from "../providers/provider.ts";
import type { AttemptRecord, RequestRecord } from "./track.ts";

/** What became of a call in plain sentences: who was asked and why, what each said, who failed. */
export function explain(record: RequestRecord): string[] {
  const { attempts, route, queuedMs } = record;
  return [
    ...(queuedMs > 0 ? [`It waited ${inMs(queuedMs)} for its turn.`] : []),
    ...attempts.map((attempt, index) => explainAttempt(attempt, reasonOf(record, attempt, index))),
    ...(attempts.length === 0 ? [whyNobody(record)] : []),
    ...route.candidates
      .filter((one) => !attempts.some(({ provider, model }) => provider === one.provider && model === one.model))
      .map(({ provider, model, reason }) => `${provider} would have been asked next, for ${model}: ${reason}.`),
    ...route.passedOver.map(({ provider, reason }) => `${provider} was passed over: ${reason}.`),
    explainEnd(record),
    ...(record.proof ? [explainProof(record.proof)] : []),
  ];
}

function explainAttempt(
  { provider, model, startedMs, firstByteMs, endedMs, outcome, decided }: AttemptRecord,
  reason: string,
): string {
  const first = firstByteMs === undefined ? "" : `, its first byte after ${inMs(firstByteMs)}`;
  const next = decided === undefined ? "" : `; then: ${decided}`;
  return `${provider} was asked for ${model}${reason}: ${outcome}${first}, ${inMs(endedMs - startedMs)} in all${next}.`;
}

function reasonOf({ route, attempts }: RequestRecord, { provider, model }: AttemptRecord, index: number): string {
  const before = attempts[index - 1];
  if (before?.provider === provider && before.model === model) return " again";
  const candidate = route.candidates.find((one) => one.provider === provider && one.model === model);
  return candidate ? ` (${candidate.reason})` : "";
}

function whyNobody({ route, failed, error }: RequestRecord): string {
  if (route.candidates.length > 0 && failed === "gateway")
    return `Nobody was asked: ${error ?? "no provider takes a call now"}.`;
  return "Nobody was asked.";
}

function explainEnd({ status, error, failed, durationMs, tokens }: RequestRecord): string {
  const used = tokens
    ? ` It used ${tokens.prompt} + ${tokens.completion} tokens${tokens.estimated ? ", by our estimate" : ""}.`
    : "";
  if (failed === undefined) return `It was answered with ${status} after ${inMs(durationMs)}.${used}`;
  const who = { client: "the client", gateway: "this gateway", upstream: "the provider" }[failed];
  const how = status === 499 ? "The client left" : `It was answered with ${status}`;
  return `${how} after ${inMs(durationMs)}; ${who} failed${error === undefined ? "" : ` (${error})`}.${used}`;
}

function explainProof({ answer }: AnswerProof): string {
  const words = {
    pass: "The model's TEE has signed this answer",
    fail: "No TEE of the model has signed this answer",
    skip: "Nothing shows whether a TEE made this answer",
  };
  return `${words[answer.outcome]}: ${answer.detail}`;
}

function inMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
