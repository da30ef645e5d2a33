/** What the edge's settings have to be together. */
import { needsExternalAccount } from "./acme/directories.ts";
import type { Config, Secrets } from "./config.ts";

export const missingCaRemedy =
  "the operator has to set the secrets CA_CERTIFICATE and CA_KEY (npm run dev:edge makes them for development).";

const pairs = [
  ["CA_CERTIFICATE", "CA_KEY"],
  ...["", "_2", "_3", "_4"].map((nth) => [`ACME_EAB_KID${nth}`, `ACME_EAB_HMAC_KEY${nth}`] as const),
] as const;

/** Variables that need or exclude one another, by presence alone: known even when some of them are unreadable. */
export function decideContradictions(env: object): string[] {
  const given = new Map(Object.entries(env).filter(([, value]) => typeof value === "string" && value !== ""));
  const contradictions: string[] = [];
  for (const [one, other] of pairs)
    if (given.has(one) !== given.has(other))
      contradictions.push(`${given.has(one) ? other : one}: is missing, while ${given.has(one) ? one : other} is set`);
  if (given.get("DNS") === "cloudflare")
    for (const name of ["ZONE_ID", "CLOUDFLARE_API_TOKEN"])
      if (!given.has(name)) contradictions.push(`${name}: is missing; DNS=cloudflare needs it`);
  return contradictions;
}

/** What works, but not for long or not for everyone. */
export function decideWarnings(config: Config, { localCa, externalAccounts }: Secrets): string[] {
  const { issuer, acme, dns, relayKeys, resolvers } = config;
  const warnings: string[] = [];
  if (relayKeys.size === 0) warnings.push("RELAY_KEYS is empty: no relay is let in.");
  if (issuer === "local") {
    if (!localCa) warnings.push(`No certificates can be issued: ${missingCaRemedy}`);
    return warnings;
  }
  if (dns.provider === "memory")
    warnings.push("ISSUER=acme with DNS=memory: no CA sees the records, so no certificate can be issued.");
  if (resolvers.length < 2)
    warnings.push("DOH names one resolver only: when that one is away, no certificate can be issued.");
  for (const directory of acme.directories)
    if (needsExternalAccount(directory) && !externalAccounts.has(directory.url))
      warnings.push(`ACME_EAB_KID and ACME_EAB_HMAC_KEY: ${directory.name} registers no account without them.`);
  return warnings;
}
