/** The part of a verification that a bot's proof file has besides: the person's words, and the model that answers them. */
import { checkTitles, type Check, type Outcome, type Verdict } from "../../shared/attestation/check.ts";
import type { ModelShown, QuestionReport } from "../attestation/client/question.ts";
import { painter } from "./paint.ts";
import { printable } from "./printable.ts";

export const verdictWords = {
  verified: ["green", "VERIFIED"],
  simulated: ["yellow", "SIMULATED"],
  refused: ["red", "REFUSED"],
  unknown: ["yellow", "COULD NOT CHECK"],
} as const satisfies Record<Verdict, readonly [string, string]>;
export const outcomeColors = { pass: "green", fail: "red", skip: "yellow" } as const satisfies Record<Outcome, string>;

export function formatQuestion(question: QuestionReport, color: boolean): string[] {
  const { words, challenge, model, modelVerdict, modelChecks } = question;
  const paint = painter(color);
  const lineOf = ({ id, outcome, detail }: Check, title: string = checkTitles[id]): string[] => [
    `  ${paint(outcomeColors[outcome], outcome.toUpperCase())}  ${title}`,
    `        ${printable(detail)}`,
  ];
  const [hue, word] = verdictWords[modelVerdict ?? "unknown"];
  return [
    words === "" ? "  no words were given" : `  words: ${printable(words)}`,
    ...lineOf(challenge, "The evidence answers these very words"),
    `  ${modelVerdict ? `${paint(hue, word)}  ` : ""}${printable(describeModel(model))}`,
    ...modelChecks.flatMap((check) => lineOf(check)),
  ];
}

export function questionJson({ words, challenge, model, modelVerdict, modelChecks }: QuestionReport): object {
  const shown = model.place === "none" ? {} : { name: model.name, provider: model.provider ?? null };
  return {
    words,
    challenge: { outcome: challenge.outcome, detail: challenge.detail },
    model: { place: model.place, ...shown, verdict: modelVerdict ?? null, checks: modelChecks },
  };
}

/** Where it runs is the bot's word, but for evidence. */
function describeModel(model: ModelShown): string {
  if (model.place === "none") return "model: the bot had none";
  const name = `${model.name}${model.provider === undefined ? "" : ` at ${model.provider}`}`;
  switch (model.place) {
    case "here":
      return `model: ${name}, in the node itself, as the node says`;
    case "plain":
      return `model: ${name}, for which no TEE is claimed`;
    case "unseen":
      return `model: ${name}, which could not be looked at: ${model.problem}`;
    case "attested":
      return `model: ${name}`;
  }
}
