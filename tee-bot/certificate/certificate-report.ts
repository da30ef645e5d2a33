/** How the certificate is, in values and in words, for the control API and the health steps. */
import { z } from "zod";
import type { Trouble } from "../../shared/acme/ports.ts";
import { lengthInWords, timeInWords } from "../../shared/acme/words.ts";
import { renewalPlanSchema, troubleSchema, type RenewalPlan } from "../../shared/registry/messages.ts";
import { issuerName, lifetimeOf, type Certificate } from "./certificate.ts";
import { historyEntrySchema, type HistoryEntry } from "./history.ts";
import { decideUrgency } from "./renewal.ts";

export const certificateReportSchema = z.object({
  /** `ending`: a tenth of its lifetime is left, or less, and there is no other yet. */
  state: z.enum(["missing", "ordering", "valid", "renewing", "ending", "expired"]),
  /** One sentence or two for a person. */
  words: z.string(),
  /** Who signed it. */
  issuer: z.string().nullable(),
  /** Milliseconds since the Unix epoch. */
  notBefore: z.int().nullable(),
  notAfter: z.int().nullable(),
  renewal: renewalPlanSchema.nullable(),
  /** What has gone wrong with the order under way or the last one; null while all is well. */
  trouble: troubleSchema.nullable(),
  /** How the last order of this node ended. */
  last: historyEntrySchema.nullable(),
});
export type CertificateReport = z.infer<typeof certificateReportSchema>;

export interface CertificateState {
  readonly certificate: Certificate | undefined;
  readonly renewal: RenewalPlan | undefined;
  /** What an order under way waits for; undefined while there is none. */
  readonly waitsFor: string | undefined;
  readonly trouble: Trouble | undefined;
  /** Whether the trouble has ended the order. */
  readonly failed: boolean;
  readonly last: HistoryEntry | undefined;
}

export function reportCertificate(state: CertificateState, now: number): CertificateReport {
  const { certificate, renewal, trouble, last } = state;
  const lifetime = certificate && lifetimeOf(certificate.leaf);
  return {
    state: nameOf(state, now),
    words: wordsOf(state, now),
    issuer: certificate ? issuerName(certificate.leaf) : null,
    notBefore: lifetime?.notBefore ?? null,
    notAfter: lifetime?.notAfter ?? null,
    renewal: renewal ?? null,
    trouble: trouble ?? null,
    last: last ?? null,
  };
}

/**
 * What is wrong with the certificate, for the health step; undefined while nothing is. A renewal that meets trouble and
 * goes on is nobody's business until the certificate nears its end.
 */
export function certificateProblem(state: CertificateState, now: number): string | undefined {
  const { certificate, trouble, failed } = state;
  if (!certificate) return [wordsOf(state, now), trouble?.detail, trouble?.remedy].filter(Boolean).join(" ");
  const urgency = decideUrgency(lifetimeOf(certificate.leaf), now);
  const late = urgency === "urgent" || urgency === "over";
  if (late || (trouble && (failed || urgency === "soon")))
    return [trouble?.detail, late || !trouble ? wordsOf(state, now) : trouble.remedy].filter(Boolean).join(" ");
  return undefined;
}

function nameOf({ certificate, waitsFor }: CertificateState, now: number): CertificateReport["state"] {
  if (!certificate) return waitsFor === undefined ? "missing" : "ordering";
  const urgency = decideUrgency(lifetimeOf(certificate.leaf), now);
  if (urgency === "over") return "expired";
  if (urgency === "urgent") return "ending";
  return waitsFor === undefined ? "valid" : "renewing";
}

function wordsOf({ certificate, waitsFor, renewal, trouble }: CertificateState, now: number): string {
  const order = waitsFor === undefined ? "" : sentence(waitsFor);
  if (!certificate) return order || "None has been issued yet.";
  const { notAfter } = lifetimeOf(certificate.leaf);
  const days = `${timeInWords(notAfter)} (${lengthInWords(Math.abs(notAfter - now))}${now < notAfter ? "" : " ago"})`;
  const end = now < notAfter ? `Valid until ${days}.` : `It has ended ${days}.`;
  if (order) return `${end} The next: ${waitsFor}.`;
  if (trouble || !renewal) return end;
  const window = renewal.source === "ari" ? "as its CA wants" : "at two thirds of its life";
  return `${end} Renewal ${timeInWords(renewal.at)}, ${window}.`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
