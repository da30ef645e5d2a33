/** Both layers in one report. Rules only. */
import type { Verdict } from "../../shared/attestation/check.ts";
import type { NodeReport } from "../../tee-bot/attestation/verify/verification.ts";
import type { ModelResult } from "./model-layer.ts";

export const reportVersion = "postern.verify-tee/1";
export const exitCodes = { verified: 0, simulated: 0, refused: 1, unknown: 2 } as const satisfies Record<
  Verdict,
  number
>;

export interface TeeReport {
  readonly subject: string;
  readonly node: NodeReport;
  readonly models: readonly ModelResult[];
  /** Why the models could not be looked at; undefined: they were. */
  readonly problem: string | undefined;
  /** The one that was asked for. */
  readonly wanted: string | undefined;
}

/** The worst of all; a model that was asked for and is not there could not be checked. */
export function decideTeeVerdict({ node, models, problem, wanted }: TeeReport): Verdict {
  const verdicts = new Set([node.verdict, ...models.map(({ verdict }) => verdict)]);
  if (verdicts.has("refused")) return "refused";
  const isMissing = wanted !== undefined && !models.some(({ model }) => model === wanted);
  if (verdicts.has("unknown") || problem !== undefined || isMissing) return "unknown";
  return verdicts.has("simulated") ? "simulated" : "verified";
}

export function formatTeeJson(report: TeeReport): string {
  const { subject, node, models, problem } = report;
  const verdict = decideTeeVerdict(report);
  const document = {
    version: reportVersion,
    subject,
    verdict,
    exit_code: exitCodes[verdict],
    node: { verdict: node.verdict, reason: node.reason, checks: node.checks, measured: node.measured ?? null },
    models: models.map(({ model, provider, verdict: one, reason, ageSeconds, checks }) => {
      return { model, provider, verdict: one, reason, age_seconds: ageSeconds, checks };
    }),
    problem: problem ?? null,
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

/** Texts of others may be in it, so control characters are shown as such. */
export function formatTeeTable(report: TeeReport): string {
  const { subject, node, models, problem, wanted } = report;
  const rows: string[][] = [
    ["LAYER", "SUBJECT", "VERDICT", "AGE", "WHY"],
    ["node", subject, node.verdict, "0 s", node.reason],
    ...models.map(({ model, provider, verdict, ageSeconds, reason }) => [
      "model",
      `${model} at ${provider}`,
      verdict,
      `${ageSeconds} s`,
      reason,
    ]),
  ];
  if (problem !== undefined) rows.push(["model", wanted ?? "", "unknown", "", problem]);
  else if (models.length === 0) rows.push(["model", "", "none", "", "The node has verified no model's TEE."]);
  const printable = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{C}/gu, "�")));
  const widths = [0, 1, 2, 3].map((column) => Math.max(...printable.map((row) => row[column]?.length ?? 0)));
  const lines = printable.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${decideTeeVerdict(report).toUpperCase()}\n${lines.join("\n")}\n`;
}
