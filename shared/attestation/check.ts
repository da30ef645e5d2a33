/**
 * What a verifier says: checks that have a name, each with an outcome and a sentence, and a verdict over all of them.
 * A check that could not be made is skipped with its reason; it never passes.
 */
import { z } from "zod";

/** Every check there is, in the order in which it is shown, with what it asks. */
export const checkTitles = {
  nonce: "The evidence answers this very question",
  "quote-format": "The quote is a TDX quote, whole and nothing more",
  "quote-signature": "Two independent verifiers accept the quote's chain up to the pinned root",
  collateral: "The vendor's collateral is signed, current and not withdrawn",
  "tcb-status": "The platform's firmware is as the policy wants it",
  "td-attributes": "The TD cannot be debugged",
  "tdx-module": "The TDX module is Intel's own",
  hardware: "Real hardware has signed, not a simulator",
  keyset: "The quote names the keys that the node serves",
  "connection-key": "The key of the certificate on this connection is among them",
  "connection-exporter": "This very TLS connection ends in the TEE",
  name: "The name belongs to the node that answers",
  "event-log": "The event log replays to the measured registers",
  compose: "The application's compose text is the measured one",
  images: "Every image of the compose text is named by its digest",
  "key-provider": "The keys come from a key provider that the policy accepts",
  "key-custody": "The node's keys were derived for this application by its key provider",
  "os-image": "The operating system is known",
  gpu: "The GPU's own evidence is good",
  "acme-account": "Certificates come by way of an account that the quote names",
  "signal-identity": "The Signal key of the node's bot is the one that you compare",
  caa: "DNS lets no other account get a certificate for the name",
  "gateway-quote": "The gateway before the model runs in a TEE",
  "model-quote": "The model runs in a TEE",
  "model-key": "The key that signs answers is the model TEE's",
  "model-gpu": "The model's GPU evidence is good",
  "answer-signature": "The model's TEE has signed this very answer",
} as const;

export type CheckId = keyof typeof checkTitles;
export const checkIds = Object.keys(checkTitles) as [CheckId, ...CheckId[]];

export const outcomes = ["pass", "fail", "skip"] as const;
export type Outcome = (typeof outcomes)[number];

export const checkSchema = z.object({
  id: z.enum(checkIds),
  outcome: z.enum(outcomes),
  /** One sentence: what was seen, or why it could not be looked at. */
  detail: z.string(),
});

export type Check = z.infer<typeof checkSchema>;

/**
 * `verified`: all that is required passed. `refused`: something failed, or what was looked at lacks something required.
 * `unknown`: nothing failed, but something required could not be looked at. `simulated`: all passed under the root of a
 * simulator that the caller named; it proves nothing.
 */
export const verdicts = ["verified", "simulated", "refused", "unknown"] as const;
export type Verdict = (typeof verdicts)[number];

export const pass = (id: CheckId, detail: string): Check => ({ id, outcome: "pass", detail });
export const failed = (id: CheckId, detail: string): Check => ({ id, outcome: "fail", detail });
export const skip = (id: CheckId, detail: string): Check => ({ id, outcome: "skip", detail });

/** The verdict over all checks. One that is required and missing counts as skipped; a failed one refuses, required or not. */
export function decideVerdict(checks: readonly Check[], required: readonly CheckId[], simulated: boolean): Verdict {
  if (checks.some(({ outcome }) => outcome === "fail")) return "refused";
  const passed = new Set(checks.filter(({ outcome }) => outcome === "pass").map(({ id }) => id));
  if (!required.every((id) => passed.has(id))) return "unknown";
  return simulated ? "simulated" : "verified";
}
