/** What a verification takes and gives. */
import type { Check, CheckId, Verdict } from "../../../shared/attestation/check.ts";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Evidence, QuoteEvidence } from "../../../shared/attestation/evidence.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";

/** Under whose root a quote must stand. A simulator's is only ever here because the caller named its file. */
export interface TrustRoot {
  /** DER of the root certificate. */
  readonly root: Uint8Array;
  readonly simulated: boolean;
}

export interface QuoteSubject {
  readonly evidence: QuoteEvidence;
  readonly collateral: Collateral | undefined;
  /** The 64 bytes that the quote must carry, computed by the verifier; undefined: they are looked at by the caller. */
  readonly reportData: Uint8Array | undefined;
  /** What the node shows of its GPUs, exactly as it came. */
  readonly gpuAttestation?: string | undefined;
  /** At which time, seconds since 1970, and whose clock that is, for the sentence. */
  readonly at: { readonly seconds: number; readonly clock: string };
}

export interface QuoteReport {
  readonly checks: readonly Check[];
  /** Of a quote that could be read; undefined otherwise. */
  readonly measured: Measured | undefined;
}

/** What the quote says, hex. To be used only where the checks passed. */
export interface Measured {
  readonly reportData: string;
  readonly mrtd: string;
  readonly rtmr: readonly [string, string, string, string];
  readonly composeHash: string | undefined;
  readonly appId: string | undefined;
  readonly keyProvider: { readonly name: string; readonly id: string } | undefined;
  readonly tcbStatus: string | undefined;
  readonly advisories: readonly string[];
  readonly simulated: boolean;
}

/** `verifyQuote` in verify-quote.ts. Never throws for what the evidence says: bad evidence is a failed check. */
export type VerifyQuote = (subject: QuoteSubject, policy: Policy, trust: TrustRoot) => Promise<QuoteReport>;

/** The whole answer of a verification of a node. */
export interface NodeReport {
  readonly verdict: Verdict;
  /** One sentence: why it is so. */
  readonly reason: string;
  /** In the order of `checkTitles`; none where nothing came to be looked at. */
  readonly checks: readonly Check[];
  readonly required: readonly CheckId[];
  /** What the verdict does not say, the gravest first; one sentence each. */
  readonly notProven: readonly string[];
  /** What the quote measured; to be used only where the verdict is `verified`. */
  readonly measured: Measured | undefined;
  /** What the node has shown; of it only what the checks cover is known to be true. */
  readonly shown: Evidence | undefined;
}
