/** What the REST server answers, read. It changes between releases: what is not used is not looked at. */
import { z } from "zod";
import { parseJson } from "../../../shared/parse-json.ts";
import { challengeOf, decideFailure, SignalFailure } from "./signal-failure.ts";
import type { RestAnswer } from "./rest-client.ts";

/** The answer's content. Throws {@link SignalFailure} for any status but 2xx, and `unknown` where it cannot be read. */
export function readAnswer<T>(answer: RestAnswer, schema: z.ZodType<T>): T {
  requireSuccess(answer);
  const parsed = schema.safeParse(parseJson(answer.bytes.toString()));
  if (!parsed.success) throw new SignalFailure("unknown");
  return parsed.data;
}

export function requireSuccess({ status, bytes }: RestAnswer): void {
  if (status >= 200 && status < 300) return;
  const { error, challenge_tokens } = errorSchema.catch({}).parse(parseJson(bytes.toString()));
  throw new SignalFailure(decideFailure(status, error ?? ""), { challenge: challengeOf(challenge_tokens) });
}

const errorSchema = z.object({ error: z.string().optional(), challenge_tokens: z.array(z.string()).optional() });

/** It is a text in releases to date. */
const timestampSchema = z.coerce.number().pipe(z.int().positive());

const recipientErrorSchema = z.object({ uuid: z.string().nullish(), reason: z.string() });

const oneSent = z.object({
  timestamp: timestampSchema,
  errors: z.object({ recipients: z.array(recipientErrorSchema).nullish() }).nullish(),
});

/** Of those a group message did not reach: reasons only. */
export interface SentMessage {
  readonly timestamp: number;
  readonly failures: readonly { readonly person: string | undefined; readonly reason: string }[];
}

/** Up to release 0.100 an object; since commit 6a225e6 of 2026-07-23 an array, with those it did not reach. */
export const sentSchema = z
  .union([oneSent, z.tuple([oneSent]).transform(([sent]) => sent)])
  .transform(({ timestamp, errors }): SentMessage => {
    const recipients = errors?.recipients ?? [];
    return { timestamp, failures: recipients.map(({ uuid, reason }) => ({ person: uuid ?? undefined, reason })) };
  });

/** Undefined: it is no JSON. */
