/** What the node's own verifier says of a quote of its own, with the collateral that it shows. */
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";
import type { Clock } from "../../../shared/clock.ts";
import { validUntilOf } from "../collateral/collateral-dates.ts";
import type { CollateralKeeper } from "../collateral/collateral-keeper.ts";
import type { AgentQuote } from "../dstack/guest-agent.ts";
import type { QuoteReport, TrustRoot, VerifyQuote } from "../verify/verification.ts";
import type { NodeFacts } from "./node-facts.ts";
import { quoteEvidence } from "./quote-evidence.ts";

export interface OwnVerifier {
  readonly facts: NodeFacts;
  readonly collateral: CollateralKeeper;
  readonly verify: VerifyQuote;
  readonly policy: Policy;
  /** Throws when it is not to be had. */
  readonly trust: () => TrustRoot;
  readonly clock: Clock;
}

export interface OwnVerification extends Pick<QuoteReport, "checks"> {
  /** When what it stands on ends: the collateral (ms since 1970). */
  readonly validUntil: number | undefined;
}

/** The first quote tells for which machine collateral is needed. */
const collateralWaitMs = 15_000;

/** Throws when the quote names no machine. */
export async function verifyOwn(
  quote: AgentQuote,
  reportData: Uint8Array,
  { facts, collateral, verify, policy, trust, clock }: OwnVerifier,
  signal: AbortSignal,
): Promise<OwnVerification> {
  const documents = await collateralOf(quote, { collateral, clock }, signal);
  const subject = {
    evidence: quoteEvidence(quote, facts.info.appCompose), // whether visitors are shown the text or not
    collateral: documents,
    reportData,
    gpuAttestation: facts.gpuAttestation,
    at: { seconds: Math.floor(clock.now() / 1000), clock: "this node's own" },
  };
  const { checks } = await verify(subject, policy, trust());
  return { checks, validUntil: documents && validUntilOf(documents) };
}

/** Of the machine that the quote names; undefined: it could not be had in time. Throws when it names none. */
export async function collateralOf(
  { quote }: AgentQuote,
  { collateral, clock }: Pick<OwnVerifier, "collateral" | "clock">,
  signal: AbortSignal,
): Promise<Collateral | undefined> {
  collateral.follow(quote);
  const asked = new AbortController();
  const late = clock.sleep(collateralWaitMs, AbortSignal.any([signal, asked.signal])).catch(() => {});
  await Promise.race([collateral.settled, late]);
  asked.abort();
  return collateral.current?.documents;
}
