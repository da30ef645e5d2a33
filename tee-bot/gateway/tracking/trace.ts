import type { AnswerProof } from "../providers/provider.ts";
import { explain } from "./explain.ts";
import type { RequestRecord } from "./track.ts";

/** A record as the API shows it, without its trace. `keyName` is that of its key, as far as it is still known. */
export function summaryOf(record: RequestRecord, keyName: string | undefined): object {
  const { tokens } = record;
  return {
    id: record.id,
    object: "request",
    created: Math.floor(record.at / 1_000),
    at: new Date(record.at).toISOString(),
    surface: record.surface,
    endpoint: record.endpoint,
    key: record.key === undefined ? null : { id: record.key, name: keyName ?? null },
    model: record.model,
    stream: record.stream,
    provider: record.provider ?? null,
    upstream_model: record.upstreamModel ?? null,
    status: record.status,
    error: record.error ?? null,
    failed: record.failed ?? null,
    queued_ms: round(record.queuedMs),
    first_byte_ms: record.ttftMs === undefined ? null : round(record.ttftMs),
    duration_ms: round(record.durationMs),
    tokens: tokens ?? null,
  };
}

/** Why it went as it did. */
export function traceOf(record: RequestRecord, keyName: string | undefined): object {
  return {
    ...summaryOf(record, keyName),
    object: "request.trace",
    explanation: explain(record),
    attestation: record.proof ? shownProof(record.proof) : null,
    route: { candidates: record.route.candidates, passed_over: record.route.passedOver },
    attempts: record.attempts.map((attempt) => ({
      provider: attempt.provider,
      model: attempt.model,
      started_ms: round(attempt.startedMs),
      first_byte_ms: attempt.firstByteMs === undefined ? null : round(attempt.firstByteMs),
      ended_ms: round(attempt.endedMs),
      status: attempt.status ?? null,
      outcome: attempt.outcome,
      decided: attempt.decided ?? null,
    })),
  };
}

/** What was looked at, and what was seen: of the model's evidence, then of just this answer. */
function shownProof({ provider, model, evidence, answer, session }: AnswerProof): object {
  return { provider, model, session_id: session ?? null, checks: [...evidence, answer] };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
