/**
 * A record as one line of JSON in the request log: an array, for the names of its members would be most of it. Without its
 * proof, which comes later.
 */
import { z } from "zod";
import type { RequestRecord } from "./track.ts";

/** Members are only ever added, at the end: older lines are read too. */
export function recordText(record: RequestRecord): string {
  const { tokens, attempts, route } = record;
  return JSON.stringify([
    record.id,
    record.at,
    record.surface,
    record.endpoint,
    record.key,
    record.model,
    Number(record.stream),
    record.provider,
    record.upstreamModel,
    record.status,
    record.error,
    record.failed,
    round(record.queuedMs),
    record.ttftMs && round(record.ttftMs),
    round(record.durationMs),
    tokens && [tokens.prompt, tokens.completion, Number(tokens.estimated)],
    [
      attempts.map((one) => [
        one.provider,
        one.model,
        round(one.startedMs),
        one.firstByteMs && round(one.firstByteMs),
        round(one.endedMs),
        one.status,
        one.outcome,
        one.decided,
      ]),
      route.candidates.map((one) => [one.provider, one.model, one.reason]),
      route.passedOver.map((one) => [one.provider, one.reason]),
    ],
  ]);
}

/** The records of an array of such lines, without those that nobody of ours has written. */
export function parseRecords(text: string): RequestRecord[] {
  const values: unknown = JSON.parse(text);
  if (!Array.isArray(values)) return [];
  return values.flatMap((value) => {
    const read = recordSchema.safeParse(value);
    return read.success ? [recordOf(read.data)] : [];
  });
}

/** `undefined` is `null` in an array of JSON. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullable().transform((value) => value ?? undefined);
const flag = z.number().transform((value) => value === 1);

const recordSchema = z.tuple([
  z.string(),
  z.number(),
  z.string(),
  z.string(),
  optional(z.string()),
  z.string(),
  flag,
  optional(z.string()),
  optional(z.string()),
  z.number(),
  optional(z.string()),
  optional(z.string()),
  z.number(),
  optional(z.number()),
  z.number(),
  optional(z.tuple([z.number(), z.number(), flag])),
  z.tuple([
    z.array(
      z.tuple([
        z.string(),
        z.string(),
        z.number(),
        optional(z.number()),
        z.number(),
        optional(z.number()),
        z.string(),
        optional(z.string()),
      ]),
    ),
    z.array(z.tuple([z.string(), z.string(), z.string()])),
    z.array(z.tuple([z.string(), z.string()])),
  ]),
]);

function recordOf(fields: z.infer<typeof recordSchema>): RequestRecord {
  const [id, at, surface, endpoint, key, model, stream, provider, upstreamModel, status, error, failed, ...more] =
    fields;
  const [queuedMs, ttftMs, durationMs, tokens, [attempts, candidates, passedOver]] = more;
  return {
    id,
    at,
    surface: surface as RequestRecord["surface"],
    endpoint: endpoint as RequestRecord["endpoint"],
    key,
    model,
    stream,
    provider,
    upstreamModel,
    status,
    error: error as RequestRecord["error"],
    failed: failed as RequestRecord["failed"],
    queuedMs,
    ttftMs,
    durationMs,
    tokens: tokens && { prompt: tokens[0], completion: tokens[1], estimated: tokens[2] },
    attempts: attempts.map((one) => ({
      provider: one[0],
      model: one[1],
      startedMs: one[2],
      firstByteMs: one[3],
      endedMs: one[4],
      status: one[5],
      outcome: one[6],
      decided: one[7],
    })),
    proof: undefined,
    route: {
      candidates: candidates.map(([name, as, reason]) => ({ provider: name, model: as, reason })),
      passedOver: passedOver.map(([name, reason]) => ({ provider: name, reason })),
    },
  };
}

/** To hundredths of a millisecond. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
