/** How the node's own evidence stands, by its own verifier: what a strict visitor would say of it. */
import type { Trouble } from "../../../shared/acme/ports.ts";
import { checkTitles, decideVerdict, type Check, type CheckId } from "../../../shared/attestation/check.ts";
import { quoteRequired } from "../../../shared/attestation/policy.ts";
import { AppError, errorText } from "../../../shared/errors.ts";

/** `unknown`: it was not looked at yet. */
export type Standing =
  | { readonly state: "unknown" }
  | { readonly state: "good"; readonly spkiSha256: string; readonly at: number }
  | { readonly state: "bad"; readonly trouble: Trouble; readonly at: number };

/** What to do where it is not obvious from what the check says. */
const remedies: Partial<Record<CheckId, string>> = {
  collateral:
    "Let this node reach the service named in attestation.collateral, and look whether the machine's clock is right.",
  "tcb-status":
    "Update the machine's firmware, or ask its operator to; verifiers with the default policy refuse it until then.",
  "td-attributes": "Start the VM without debugging.",
  "tdx-module": "Update the machine's TDX module, or ask its operator to.",
  "event-log": "Restart the VM; if it stays, its image or guest agent is not what it should be.",
  compose:
    "Start the application anew from its compose file; if it stays, the guest agent shows another text than it runs.",
};
const usualRemedy = "See postern verify with this node's name, which shows every check.";

/** Of a verification of a quote that carries the keyset with this TLS key. */
export function decideStanding(
  checks: readonly Check[],
  { spkiSha256, simulated, at }: { spkiSha256: string; simulated: boolean; at: number },
): Standing {
  const verdict = decideVerdict(checks, quoteRequired, simulated);
  if (verdict === "verified" || verdict === "simulated") return { state: "good", spkiSha256, at };
  const guilty =
    checks.find(({ outcome }) => outcome === "fail") ??
    checks.find(({ id, outcome }) => outcome === "skip" && (quoteRequired as readonly CheckId[]).includes(id));
  if (!guilty) return badStanding("The evidence of this node lacks a check that is required.", usualRemedy, at);
  const { id, detail } = guilty;
  return badStanding(
    `This node's own verifier refuses its evidence at "${id}" (${checkTitles[id]}): ${detail}`,
    remedies[id],
    at,
  );
}

/** Of evidence that could not be made at all. */
export function standingOfError(error: unknown, at: number): Standing {
  const gone = error instanceof AppError && error.code === "tee-absent";
  return badStanding(
    `This node has no evidence of itself: ${errorText(error)}`,
    gone
      ? "Look whether the guest agent's socket is given to this container."
      : "It is tried again; if it stays, restart the VM.",
    at,
  );
}

const badStanding = (detail: string, remedy: string = usualRemedy, at: number): Standing => ({
  state: "bad",
  trouble: { detail, remedy },
  at,
});

/**
 * Whether the certificate with this key may be shown to visitors. `required`: only while the node's own verifier accepts a
 * quote that names the key; without, always.
 */
export function decideServing(required: boolean, standing: Standing, spkiSha256: string): boolean {
  return !required || (standing.state === "good" && standing.spkiSha256 === spkiSha256);
}
