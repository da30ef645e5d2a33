/** Which providers there should be: those of the settings, and what is found on this machine. Rules only. */
import { isLoopbackUrl } from "../../../shared/loopback.ts";
import type { GatewaySettings, ProviderSettings } from "../settings.ts";
import { parseOllamaHost } from "./ollama-host.ts";
import type { Environment } from "./secret.ts";

export type WantedProvider =
  | (ProviderSettings & { readonly discovered?: boolean })
  | { readonly kind: "embedded"; readonly id: "embedded"; readonly embedded: GatewaySettings["embedded"] };

const lmStudioUrl = "http://127.0.0.1:1234";

/** In the order of the settings; an id is taken once, and a server that is configured is not discovered as well. */
export function decideWanted(settings: GatewaySettings, env: Environment): WantedProvider[] {
  const { discovery, embedded, providers } = settings;
  const wanted: WantedProvider[] = [];
  if (embedded.demo || embedded.models.length > 0) wanted.push({ kind: "embedded", id: "embedded", embedded });
  wanted.push(...providers);
  if (discovery.ollama === "auto")
    discover(wanted, { kind: "ollama", id: "ollama", url: parseOllamaHost(env["OLLAMA_HOST"]), discovered: true });
  if (discovery.lmStudio === "auto")
    discover(wanted, { kind: "lm-studio", id: "lm-studio", url: lmStudioUrl, discovered: true });
  return wanted.filter(({ id }, at) => wanted.findIndex((other) => other.id === id) === at);
}

function discover(wanted: WantedProvider[], found: WantedProvider & { url: string }): void {
  const server = serverOf(found.url);
  if (!wanted.some((one) => "url" in one && serverOf(one.url) === server)) wanted.push(found);
}

/** All ways to name this machine are one. */
function serverOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url) return undefined;
  return `${isLoopbackUrl(url) ? "this machine" : url.hostname}:${url.port || url.protocol}`;
}
