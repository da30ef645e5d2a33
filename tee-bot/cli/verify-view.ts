/** A verification as a person reads it: the verdict, why, each check, which code it is, and what is not proven by it. */
import { checkTitles } from "../../shared/attestation/check.ts";
import { version } from "../../shared/version.ts";
import { describeCode, listImages } from "../attestation/client/code.ts";
import type { Observation } from "../attestation/client/observation.ts";
import type { NodeReport } from "../attestation/verify/verification.ts";
import type { QuestionReport } from "../attestation/client/question.ts";
import { formatQuestion, outcomeColors, questionJson, verdictWords } from "./question-view.ts";
import { painter } from "./paint.ts";
import { printable, printableJson } from "./printable.ts";

export interface VerificationView {
  readonly report: NodeReport;
  /** Undefined where the node could not be reached or asked. */
  readonly observation: Observation | undefined;
  /** What was asked for. */
  readonly subject: string;
  /** It was read from a proof file. */
  readonly isRecorded: boolean;
  /** What to do next. */
  readonly hints: readonly string[];
  /** Of a proof file that a bot made for a person. */
  readonly question?: QuestionReport | undefined;
}

const reportVersion = "postern.verification/1";
const labelWidth = 12;

export function formatVerification({ report, subject, hints, question }: VerificationView, color: boolean): string {
  const paint = painter(color);
  const { verdict, reason, checks, required, notProven } = report;
  const [hue, word] = verdictWords[verdict];
  const table = checks.flatMap(({ id, outcome, detail }) => {
    const mark = outcome === "skip" && required.includes(id) ? "  (required)" : "";
    return [
      `  ${paint(outcomeColors[outcome], outcome.toUpperCase())}  ${checkTitles[id]}${mark}`,
      `        ${printable(detail)}`,
    ];
  });
  const code = describeCode(report).map(([name, value]) => `  ${name.padEnd(labelWidth)} ${printable(value)}`);
  const open = notProven.map((line) => `  - ${printable(line)}`);
  const lines = [
    `${paint(hue, word)}  ${printable(subject)}`,
    printable(reason),
    ...hints.map((hint) => `  → ${printable(hint)}`),
    ...section("", table),
    ...section("The question that it answers:", question ? formatQuestion(question, color) : []),
    ...section("What runs there:", code),
    ...section("Not proven by this:", open),
  ];
  return `${lines.join("\n")}\n`;
}

/** The form is described in docs/attestation.md; members may come to it, and none changes its meaning. */
export function formatVerificationJson(
  { report, observation, subject, isRecorded, question }: VerificationView,
  exitCode: number,
): string {
  const { verdict, reason, checks, required, notProven, measured, shown } = report;
  const document = {
    version: reportVersion,
    tool: `postern ${version}`,
    subject,
    verdict,
    exit_code: exitCode,
    reason,
    recorded: isRecorded,
    address: observation?.address ?? null,
    checked_at: observation ? new Date(observation.at.seconds * 1000).toISOString() : null,
    clock: observation?.at.clock ?? null,
    required,
    checks: checks.map(({ id, outcome, detail }) => ({ id, title: checkTitles[id], outcome, detail })),
    measured: measured ?? null,
    node_id: shown?.keyset.node_id ?? null,
    keyset: shown?.keyset ?? null,
    images: listImages(report),
    not_proven: notProven,
    ...(question && { question: questionJson(question) }),
  };
  return `${printableJson(document)}\n`;
}

/** Nothing where there are no lines. */
function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ["", ...(title === "" ? [] : [title]), ...lines];
}
