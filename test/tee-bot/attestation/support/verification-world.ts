/** One simulated platform, its collateral, and verifications over what they sign. */
import {
  decideVerdict,
  type Check,
  type CheckId,
  type Outcome,
  type Verdict,
} from "../../../../shared/attestation/check.ts";
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import { defaultRequired, policySchema, type PolicyInput } from "../../../../shared/attestation/policy.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import type { QuoteOptions } from "../../../../tee-bot/attestation/simulator/pki/quoting-enclave.ts";
import { verifyQuote } from "../../../../tee-bot/attestation/verify/verify-quote.ts";
import type { QuoteSubject, TrustRoot } from "../../../../tee-bot/attestation/verify/verification.ts";
import { syntheticApp, type SyntheticApp } from "./synthetic-app.ts";

export const worldNow = Date.UTC(2026, 10, 21, 12);
export const worldReportData = Buffer.alloc(64, 7);

/** What `verifyQuote` can tell of itself: the rest of what is required is its callers'. */
export const requiredOfQuotes: readonly CheckId[] = defaultRequired.filter(
  (id) => !["keyset", "connection-key", "connection-exporter", "name"].includes(id),
);

export interface Told {
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  readonly outcome: (id: CheckId) => Outcome | undefined;
  readonly detail: (id: CheckId) => string;
}

export interface Changes {
  readonly quote?: Partial<QuoteOptions>;
  readonly app?: SyntheticApp;
  /** After signing. */
  readonly bytes?: (quote: Uint8Array) => Uint8Array;
  readonly evidence?: Partial<QuoteSubject["evidence"]>;
  readonly collateral?: Collateral | undefined;
  readonly subject?: Partial<QuoteSubject>;
  readonly policy?: PolicyInput;
  readonly trust?: TrustRoot;
}

export interface VerificationWorld {
  readonly pki: SimulatorPki;
  readonly collateral: Collateral;
  /** Verifies an honest node, but for the changes. */
  verify(changes?: Changes): Promise<Told>;
}

export async function createVerificationWorld(): Promise<VerificationWorld> {
  const pki = await createSimulatorPki({ now: worldNow });
  const collateral = await pki.createCollateral({ now: worldNow });
  const verify = async (changes: Changes = {}): Promise<Told> => {
    const app = changes.app ?? syntheticApp();
    const signed = pki.signQuote({ reportData: worldReportData, rtmr: app.rtmr, ...changes.quote });
    const quote = Buffer.from(changes.bytes?.(signed) ?? signed).toString("hex");
    const trust = changes.trust ?? { root: pki.root, simulated: true };
    const subject: QuoteSubject = {
      evidence: { ...app.evidence, quote, ...changes.evidence },
      collateral: "collateral" in changes ? changes.collateral : collateral,
      reportData: worldReportData,
      at: { seconds: worldNow / 1000, clock: "the test's clock" },
      ...changes.subject,
    };
    return tell(await verifyQuote(subject, policySchema.parse(changes.policy ?? {}), trust), trust.simulated);
  };
  return { pki, collateral, verify };
}

export function tell({ checks }: { readonly checks: readonly Check[] }, simulated: boolean): Told {
  const find = (id: CheckId): Check | undefined => checks.find((check) => check.id === id);
  return {
    verdict: decideVerdict(checks, requiredOfQuotes, simulated),
    checks,
    outcome: (id) => find(id)?.outcome,
    detail: (id) => find(id)?.detail ?? "",
  };
}

/** With one bit changed. */
export function flipBit(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}
