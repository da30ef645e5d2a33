/** The addresses that DNS names for a host, as visitors are told them. */
import { Resolver } from "node:dns/promises";
import { canonicalAddress } from "./targets.ts";

const queryMs = 2_000;
const queryTries = 2;

/** Answered, and there are none. */
const noneCodes = new Set(["ENOTFOUND", "ENODATA"]);

/** `servers`: as `RELAY_DNS_SERVERS` has them; empty: those of the system. */
export function createResolver(servers: readonly string[]): (host: string) => Promise<string[] | undefined> {
  const resolver = new Resolver({ timeout: queryMs, tries: queryTries });
  if (servers.length > 0) resolver.setServers(servers);
  /** Undefined when the resolver does not say. Never rejects. */
  return async (host) => {
    const [four, six] = await Promise.all([answered(resolver.resolve4(host)), answered(resolver.resolve6(host))]);
    if (!four && !six) return undefined;
    const all = [...(four ?? []), ...(six ?? [])];
    // Half an answer that names nobody is none.
    return all.length === 0 && (!four || !six) ? undefined : all.map(canonicalAddress);
  };
}

async function answered(query: Promise<string[]>): Promise<string[] | undefined> {
  try {
    return await query;
  } catch (error) {
    return noneCodes.has((error as NodeJS.ErrnoException).code ?? "") ? [] : undefined;
  }
}
