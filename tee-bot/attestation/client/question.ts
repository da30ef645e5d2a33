/**
 * What a proof file says besides the node's evidence when a person has asked by way of the node's bot: the words of which
 * the nonces are made, and what was seen of the model that answers them.
 */
import { z } from "zod";
import { failed, pass, type Check, type Verdict } from "../../../shared/attestation/check.ts";
import { AppError } from "../../../shared/errors.ts";
import { judgeModelRecord, modelRecordSchema } from "../near/model-record.ts";
import { challengeFormula, challengeSchema, nonceOf } from "./challenge.ts";
import type { Judgement } from "./verify-node.ts";

const named = { name: z.string().max(512), provider: z.string().max(128).optional() };

/** `here`: it runs in the node itself. `plain`: nobody claims a TEE. `unseen`: it could not be looked at. */
const modelShownSchema = z.discriminatedUnion("place", [
  z.object({ place: z.literal("here"), ...named }),
  z.object({ place: z.literal("plain"), ...named }),
  z.object({ place: z.literal("unseen"), ...named, problem: z.string().max(2_048) }),
  z.object({ place: z.literal("attested"), ...named, record: modelRecordSchema }),
  z.object({ place: z.literal("none") }),
]);
export type ModelShown = z.infer<typeof modelShownSchema>;

const questionSchema = z.object({
  ...challengeSchema.shape,
  /** For whoever reads the file. */
  nonce_is: z.string().max(256).default(challengeFormula),
  model: modelShownSchema,
});
export type Question = z.input<typeof questionSchema>;

export interface QuestionReport {
  readonly words: string;
  /** Whether the nonces are made of the words. */
  readonly challenge: Check;
  readonly model: ModelShown;
  /** Undefined: there is no evidence of a model to be judged. */
  readonly modelVerdict: Verdict | undefined;
  readonly modelChecks: readonly Check[];
}

/** Of a proof file; undefined: it was made by somebody who looked by himself. Throws {@link AppError} for another form. */
export function parseQuestion(text: string): Question | undefined {
  const { question } = JSON.parse(text) as { question?: unknown };
  if (question === undefined) return undefined;
  const { data, error } = questionSchema.safeParse(question);
  if (data) return data;
  const where = error.issues[0]?.path.map(String).join(".") ?? "";
  throw new AppError("bad-request", `It is no proof file of this version: wrong at question.${where}.`);
}

/** `nonce`: that of the node's evidence, hex. */
export async function judgeQuestion(question: Question, nonce: string, judgement: Judgement): Promise<QuestionReport> {
  const { words, model } = question;
  const challenge = judgeChallenge(question, nonce);
  if (model.place !== "attested") return { words, challenge, model, modelVerdict: undefined, modelChecks: [] };
  const { policy, trust } = judgement;
  const { verdict, checks } = await judgeModelRecord(model.record, { policy, trust });
  return { words, challenge, model, modelVerdict: verdict, modelChecks: checks };
}

function judgeChallenge(question: Question, nonce: string): Check {
  const { model } = question;
  const expected = nonceOf(question, "node").toString("hex");
  if (expected !== nonce) return failed("nonce", "The node's evidence answers another nonce than these words make.");
  if (model.place === "attested" && model.record.nonce !== nonceOf(question, "model").toString("hex"))
    return failed("nonce", "The model's evidence answers another nonce than these words make.");
  return pass("nonce", `The nonces are made of these words: ${challengeFormula}.`);
}
