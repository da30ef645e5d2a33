/** A record as a row of the request log. What is asked for by column is one; the rest is in `detail`, as short as it can be. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { z } from "zod";
import { checkIds, outcomes } from "../../../shared/attestation/check.ts";
import type { AnswerProof } from "../providers/provider.ts";
import type { RequestRecord } from "./track.ts";

export const rowColumns = [
  "id",
  "at",
  "surface",
  "endpoint",
  "key",
  "model",
  "stream",
  "provider",
  "upstream_model",
  "status",
  "error",
  "failed",
  "queued_ms",
  "ttft_ms",
  "duration_ms",
  "prompt_tokens",
  "completion_tokens",
  "tokens_estimated",
  "detail",
  "proof",
] as const;

export function rowOf(record: RequestRecord): SQLInputValue[] {
  const { tokens } = record;
  return [
    record.id,
    record.at,
    record.surface,
    record.endpoint,
    record.key ?? null,
    record.model,
    record.stream ? 1 : 0,
    record.provider ?? null,
    record.upstreamModel ?? null,
    record.status,
    record.error ?? null,
    record.failed ?? null,
    round(record.queuedMs),
    record.ttftMs === undefined ? null : round(record.ttftMs),
    round(record.durationMs),
    tokens?.prompt ?? null,
    tokens?.completion ?? null,
    tokens ? Number(tokens.estimated) : null,
    detailOf(record),
    record.proof ? proofText(record.proof) : null,
  ];
}

/** Undefined: the row was written by nobody of ours. */
export function recordOf(row: Record<string, SQLOutputValue>): RequestRecord | undefined {
  const read = detailSchema.safeParse(parseJson(row["detail"] as string));
  if (!read.success) return undefined;
  const [attempts, candidates, passedOver] = read.data;
  const tokens =
    row["prompt_tokens"] === null
      ? undefined
      : {
          prompt: row["prompt_tokens"] as number,
          completion: row["completion_tokens"] as number,
          estimated: row["tokens_estimated"] === 1,
        };
  return {
    id: row["id"] as string,
    at: row["at"] as number,
    surface: row["surface"] as RequestRecord["surface"],
    endpoint: row["endpoint"] as RequestRecord["endpoint"],
    key: (row["key"] as string | null) ?? undefined,
    model: row["model"] as string,
    stream: row["stream"] === 1,
    provider: (row["provider"] as string | null) ?? undefined,
    upstreamModel: (row["upstream_model"] as string | null) ?? undefined,
    status: row["status"] as number,
    error: ((row["error"] as string | null) ?? undefined) as RequestRecord["error"],
    failed: ((row["failed"] as string | null) ?? undefined) as RequestRecord["failed"],
    queuedMs: row["queued_ms"] as number,
    ttftMs: (row["ttft_ms"] as number | null) ?? undefined,
    durationMs: row["duration_ms"] as number,
    tokens,
    attempts: attempts.map(([provider, model, startedMs, firstByteMs, endedMs, status, outcome, decided]) => ({
      provider,
      model,
      startedMs,
      firstByteMs: firstByteMs ?? undefined,
      endedMs,
      status: status ?? undefined,
      outcome,
      decided: decided ?? undefined,
    })),
    proof: readProof(row["proof"]),
    route: {
      candidates: candidates.map(([provider, model, reason]) => ({ provider, model, reason })),
      passedOver: passedOver.map(([provider, reason]) => ({ provider, reason })),
    },
  };
}

/** As the column has it. */
export function proofText({ provider, model, evidence, answer, session }: AnswerProof): string {
  const checks = [...evidence, answer].map(({ id, outcome, detail }) => [id, outcome, detail]);
  return JSON.stringify([provider, model, session ?? null, checks]);
}

const proofSchema = z.tuple([
  z.string(),
  z.string(),
  z.string().nullable(),
  z.array(z.tuple([z.enum(checkIds), z.enum(outcomes), z.string()])).min(1),
]);

function readProof(value: SQLOutputValue | undefined): AnswerProof | undefined {
  const { data } = proofSchema.safeParse(typeof value === "string" ? parseJson(value) : undefined);
  if (!data) return undefined;
  const [provider, model, session, all] = data;
  const checks = all.map(([id, outcome, detail]) => ({ id, outcome, detail }));
  return { provider, model, session: session ?? undefined, evidence: checks.slice(0, -1), answer: checks.at(-1)! };
}

function detailOf({ attempts, route }: RequestRecord): string {
  return JSON.stringify([
    attempts.map((one) => [
      one.provider,
      one.model,
      round(one.startedMs),
      one.firstByteMs === undefined ? null : round(one.firstByteMs),
      round(one.endedMs),
      one.status ?? null,
      one.outcome,
      one.decided ?? null,
    ]),
    route.candidates.map((one) => [one.provider, one.model, one.reason]),
    route.passedOver.map((one) => [one.provider, one.reason]),
  ]);
}

const detailSchema = z.tuple([
  z.array(
    z.tuple([
      z.string(),
      z.string(),
      z.number(),
      z.number().nullable(),
      z.number(),
      z.number().nullable(),
      z.string(),
      z.string().nullable(),
    ]),
  ),
  z.array(z.tuple([z.string(), z.string(), z.string()])),
  z.array(z.tuple([z.string(), z.string()])),
]);

/** To hundredths of a millisecond. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
