import type { CertificateReport } from "../certificate/certificate-report.ts";
import type { HistoryEntry } from "../certificate/history.ts";
import { timeInWords } from "../../shared/acme/words.ts";
import type { NodeStatus } from "../control/status.ts";
import { formatTroubles, painter } from "./paint.ts";

export interface CertificateView extends CertificateReport, Pick<NodeStatus, "hostnames" | "troubles"> {}

/** The certificate as a person reads it: the verdict first, then what there is to know, then what is wrong. */
export function formatCertificate(view: CertificateView, color: boolean): string {
  const paint = painter(color);
  const well = view.state === "valid" || view.state === "renewing";
  const rows = [
    ["names", view.hostnames.join(", ")],
    ["issuer", view.issuer],
    ["valid from", when(view.notBefore)],
    ["valid until", when(view.notAfter)],
    ["renewal", renewalOf(view)],
    ["last order", view.last && `${view.last.outcome} ${timeInWords(view.last.at)}: ${view.last.reason}`],
  ].filter(([, value]) => value);
  const lines = [
    `${paint(well ? "green" : "yellow", view.state)}  ${view.words}`,
    "",
    ...rows.map(([name, value]) => `  ${String(name).padEnd(12)} ${value}`),
    ...formatTroubles([...(view.trouble ? [view.trouble] : []), ...view.troubles], color),
  ];
  return `${lines.join("\n")}\n`;
}

/** One line an order, and below it what was said of it. */
export function formatHistory(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return "No order has ended yet.\n";
  const lines = entries.map(({ at, outcome, reason, notAfter, serial, words, times }) => {
    const head = `${timeInWords(at)}  ${outcome}${times > 1 ? ` ${times} times` : ""}  (${reason})`;
    const facts = serial === null ? "" : `\n  serial ${serial}, until ${when(notAfter)}`;
    return `${head}\n  ${words}${facts}\n`;
  });
  return lines.join("");
}

function when(at: number | null): string | null {
  return at === null ? null : timeInWords(at);
}

function renewalOf({ renewal }: CertificateReport): string | null {
  if (!renewal) return null;
  if (renewal.source === "lifetime") return timeInWords(renewal.at);
  const window =
    renewal.from !== undefined && renewal.to !== undefined
      ? `, in its CA's window ${timeInWords(renewal.from)} to ${timeInWords(renewal.to)}`
      : ", as its CA wants";
  return `${timeInWords(renewal.at)}${window}${renewal.explanationUrl === undefined ? "" : ` (${renewal.explanationUrl})`}`;
}
