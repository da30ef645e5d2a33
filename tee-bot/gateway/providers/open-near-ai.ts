import type { Dispatcher } from "undici";
import { policySchema } from "../../../shared/attestation/policy.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { UpstreamVerification } from "../../attestation/near/upstream-verification.ts";
import type { ProviderSettings } from "../settings.ts";
import { openHttpProvider, type HttpProviderOptions } from "./http-provider.ts";
import { specOfNearAi } from "./near-ai.ts";
import { NearAttestor } from "./near-attestor.ts";
import { ProviderError, type Provider, type Upstream } from "./provider.ts";
import { openPool } from "./upstream-pool.ts";

export interface NearAiOptions extends HttpProviderOptions {
  key: string | undefined;
  /** Undefined: what providers say of their TEEs stays their own word. */
  verification: UpstreamVerification | undefined;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** NEAR AI Cloud with what looks at its evidence. Throws {@link ProviderError} when there is no key. */
export function openNearAi(wanted: Extract<ProviderSettings, { kind: "near-ai" }>, options: NearAiOptions): Provider {
  const { key, verification } = options;
  if (key === undefined)
    throw new ProviderError("broken", "NEAR AI Cloud wants a key. Say where it is with keyEnv or keyFile.");
  const listing = openHttpProvider(specOfNearAi(wanted, key), options);
  const isPinned = wanted.connection === "attested";
  if (!verification && !isPinned) return listing;
  if (!verification)
    throw new ProviderError("broken", "Nobody here looks at the evidence that connection: attested asks for.");

  // What is listed is asked for before there is any evidence, so that calls have connections of their own.
  const calls: Dispatcher | undefined = isPinned
    ? openPool(listing.upstream.origin, { ...options, checkPeer: (peer) => attestor.checkPeer(peer) })
    : undefined;
  const upstream: Upstream = calls ? { ...listing.upstream, dispatcher: calls } : listing.upstream;
  const attestor = new NearAttestor({
    ...options,
    verification,
    provider: { id: listing.id, upstream },
    policy: policySchema.parse({ tcb: wanted.tcb, advisories: wanted.advisories }),
    unattested: wanted.unattested,
    holdsAnswers: wanted.answers === "required",
    isPinned,
  });
  return {
    ...listing,
    upstream,
    attestor,
    async [Symbol.asyncDispose]() {
      await attestor[Symbol.asyncDispose]();
      await calls?.destroy();
      await listing[Symbol.asyncDispose]();
    },
  };
}
