import { intelRoot } from "../../../shared/attestation/dcap/intel-root.ts";
import type { Clock } from "../../../shared/clock.ts";
import { CollateralCache } from "../collateral/collateral-cache.ts";
import { verifyQuote } from "../verify/verify-quote.ts";
import { nvidiaService } from "./check-gpu.ts";
import { SessionStore } from "./sessions.ts";
import type { VerifyModelOptions } from "./verify-model.ts";

/** How a node looks at the evidence of others; the same for all of them. */
export interface UpstreamVerification extends Pick<
  VerifyModelOptions,
  "verifyQuote" | "trust" | "collateral" | "gpuService" | "fetch"
> {
  readonly sessions: SessionStore;
}

export interface UpstreamVerificationOptions {
  /** Of the service that has collateral. */
  readonly collateral: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/** By Intel's root and no other: what a simulator has signed for another machine proves nothing to this one. */
export function verifyUpstreams({ collateral, fetch, clock }: UpstreamVerificationOptions): UpstreamVerification {
  const cache = new CollateralCache({ base: collateral, fetch, clock });
  return {
    verifyQuote,
    trust: { root: intelRoot, simulated: false },
    collateral: (quote, signal) => cache.get(quote, signal),
    gpuService: nvidiaService,
    fetch,
    sessions: new SessionStore(),
  };
}
