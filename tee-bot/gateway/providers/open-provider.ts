import type { GatewaySettings } from "../settings.ts";
import { openHttpProvider, type HttpProviderOptions, type HttpProviderSpec } from "./http-provider.ts";
import { specOfLmStudio } from "./lm-studio.ts";
import { specOfNearAi } from "./near-ai.ts";
import { specOfOllama } from "./ollama.ts";
import { specOfOpenAi } from "./openai.ts";
import { ProviderError, type Provider } from "./provider.ts";
import type { WantedProvider } from "./wanted.ts";

/** Makes the provider of models that run in a process of this node. */
export type OpenEmbedded = (settings: GatewaySettings["embedded"]) => Provider;

export interface OpenOptions extends HttpProviderOptions {
  key: string | undefined;
  openEmbedded: OpenEmbedded | undefined;
}

/** Makes a provider without asking it anything. Throws {@link ProviderError} when its settings do not make sense. */
export function openProvider(wanted: WantedProvider, { key, openEmbedded, ...options }: OpenOptions): Provider {
  if (wanted.kind !== "embedded") return openHttpProvider(specOf(wanted, key), options);
  if (!openEmbedded) throw new ProviderError("broken", "This node runs no models itself.");
  return openEmbedded(wanted.embedded);
}

function specOf(wanted: Exclude<WantedProvider, { kind: "embedded" }>, key: string | undefined): HttpProviderSpec {
  switch (wanted.kind) {
    case "openai":
      return specOfOpenAi(wanted, key);
    case "ollama":
      return specOfOllama(wanted, key);
    case "lm-studio":
      return specOfLmStudio(wanted, key);
    case "near-ai":
      if (key === undefined)
        throw new ProviderError("broken", "NEAR AI Cloud wants a key. Say where it is with keyEnv or keyFile.");
      return specOfNearAi(wanted, key);
  }
}
