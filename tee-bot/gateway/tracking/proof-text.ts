/** A proof as the request log has it: an array in JSON. */
import { z } from "zod";
import { checkIds, outcomes } from "../../../shared/attestation/check.ts";
import type { AnswerProof } from "../providers/provider.ts";

export function proofText({ provider, model, evidence, answer, session }: AnswerProof): string {
  const checks = [...evidence, answer].map(({ id, outcome, detail }) => [id, outcome, detail]);
  return JSON.stringify([provider, model, session ?? null, checks]);
}

/** Undefined: nobody of ours has written it. */
export function parseProof(text: string): AnswerProof | undefined {
  const { data } = proofSchema.safeParse(JSON.parse(text));
  if (!data) return undefined;
  const [provider, model, session, all] = data;
  const checks = all.map(([id, outcome, detail]) => ({ id, outcome, detail }));
  return { provider, model, session: session ?? undefined, evidence: checks.slice(0, -1), answer: checks.at(-1)! };
}

const proofSchema = z.tuple([
  z.string(),
  z.string(),
  z.string().nullable(),
  z.array(z.tuple([z.enum(checkIds), z.enum(outcomes), z.string()])).min(1),
]);
