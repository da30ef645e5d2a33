import { policySchema } from "../../../shared/attestation/policy.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { UpstreamVerification } from "../../attestation/near/upstream-verification.ts";
import type { GatewaySettings } from "../settings.ts";
import { openHttpProvider, type HttpProviderOptions, type HttpProviderSpec } from "./http-provider.ts";
import { specOfLmStudio } from "./lm-studio.ts";
import { specOfNearAi } from "./near-ai.ts";
import { NearAttestor } from "./near-attestor.ts";
import { specOfOllama } from "./ollama.ts";
import { specOfOpenAi } from "./openai.ts";
import { ProviderError, type Provider } from "./provider.ts";
import type { WantedProvider } from "./wanted.ts";

/** Makes the provider of models that run in a process of this node. */
export type OpenEmbedded = (settings: GatewaySettings["embedded"]) => Provider;

export interface OpenOptions extends HttpProviderOptions {
  key: string | undefined;
  openEmbedded: OpenEmbedded | undefined;
  /** Undefined: what providers say of their TEEs stays their own word. */
  verification: UpstreamVerification | undefined;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** Makes a provider without asking it anything. Throws {@link ProviderError} when its settings do not make sense. */
export function openProvider(wanted: WantedProvider, { key, openEmbedded, ...options }: OpenOptions): Provider {
  if (wanted.kind === "near-ai") return openNearAi(wanted, key, options);
  if (wanted.kind !== "embedded") return openHttpProvider(specOf(wanted, key), options);
  if (!openEmbedded) throw new ProviderError("broken", "This node runs no models itself.");
  return openEmbedded(wanted.embedded);
}

type WantedNearAi = Extract<WantedProvider, { kind: "near-ai" }>;

function openNearAi(
  wanted: WantedNearAi,
  key: string | undefined,
  options: Omit<OpenOptions, "key" | "openEmbedded">,
): Provider {
  if (key === undefined)
    throw new ProviderError("broken", "NEAR AI Cloud wants a key. Say where it is with keyEnv or keyFile.");
  const { unattested, tcb, answers } = wanted;
  const { verification } = options;
  const provider = openHttpProvider(specOfNearAi(wanted, key), options);
  if (!verification) return provider;
  const policy = policySchema.parse({ tcb });
  const holdsAnswers = answers === "required";
  const attestor = new NearAttestor({ ...options, verification, provider, policy, unattested, holdsAnswers });
  return {
    ...provider,
    attestor,
    async [Symbol.asyncDispose]() {
      await attestor[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

function specOf(
  wanted: Exclude<WantedProvider, { kind: "embedded" | "near-ai" }>,
  key: string | undefined,
): HttpProviderSpec {
  switch (wanted.kind) {
    case "openai":
      return specOfOpenAi(wanted, key);
    case "ollama":
      return specOfOllama(wanted, key);
    case "lm-studio":
      return specOfLmStudio(wanted, key);
  }
}
