import { createCloudflareProvider } from "./cloudflare-provider.ts";
import { createMemoryProvider, type MemoryParts } from "./memory-provider.ts";
import type { DnsProvider } from "./provider.ts";
import type { Config, Secrets } from "../config.ts";

export type CreateProvider = (config: Config, secrets: Secrets, parts: MemoryParts) => DnsProvider;

/** Who holds the records, as the settings say. */
export const createProvider: CreateProvider = ({ dns }, { cloudflareApiToken: token }, parts) => {
  if (dns.provider === "memory" || token === undefined) return createMemoryProvider(parts);
  return createCloudflareProvider({
    api: dns.api,
    zoneId: dns.zoneId,
    token,
    fetch: (input, init) => fetch(input, init), // looked up at each call: workerd wants its own `this`
  });
};
