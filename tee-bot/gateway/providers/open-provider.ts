import type { GatewaySettings } from "../settings.ts";
import { openHttpProvider, type HttpProviderSpec } from "./http-provider.ts";
import { specOfLmStudio } from "./lm-studio.ts";
import { openNearAi, type NearAiOptions } from "./open-near-ai.ts";
import { specOfOllama } from "./ollama.ts";
import { specOfOpenAi } from "./openai.ts";
import { ProviderError, type Provider } from "./provider.ts";
import type { WantedProvider } from "./wanted.ts";

/** Makes the provider of models that run in a process of this node. */
export type OpenEmbedded = (settings: GatewaySettings["embedded"]) => Provider;

export interface OpenOptions extends NearAiOptions {
  openEmbedded: OpenEmbedded | undefined;
}

/** Makes a provider without asking it anything. Throws {@link ProviderError} when its settings do not make sense. */
export function openProvider(wanted: WantedProvider, { key, openEmbedded, ...options }: OpenOptions): Provider {
  if (wanted.kind === "near-ai") return openNearAi(wanted, { ...options, key });
  if (wanted.kind !== "embedded") return openHttpProvider(specOf(wanted, key), options);
  if (!openEmbedded) throw new ProviderError("broken", "This node runs no models itself.");
  return openEmbedded(wanted.embedded);
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
