import type { TeeState } from "./attestation.ts";
import type { Standing } from "./evidence/standing.ts";

/** What health says of the proof. */
export interface ProofStep {
  /** Whether the name may be served as far as the proof goes. */
  readonly ok: boolean;
  /** One sentence for the operator. */
  readonly detail: string;
}

/** Evidence that does not stand keeps the name from being served only where it is required; a trouble it is in any case. */
export function proofStep({ tee }: Pick<TeeState, "tee">, standing: Standing, required: boolean): ProofStep {
  if (tee === "none") return { ok: true, detail: "There is no TEE here, and nothing is proven." };
  const simulated = tee === "simulated" ? " SIMULATED: it proves nothing." : "";
  switch (standing.state) {
    case "good":
      return { ok: true, detail: `This node's own verifier accepts its evidence.${simulated}` };
    case "bad":
      return {
        ok: !required,
        detail: standing.trouble.detail + (required ? " No visitor is served until it does." : ""),
      };
    case "unknown":
      return { ok: !required, detail: `The evidence has not been looked at yet.${simulated}` };
  }
}
