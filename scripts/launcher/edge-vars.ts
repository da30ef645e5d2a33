/** The edge's variables and secrets, as the launcher's flags and environment have them. */
import { readFileSync } from "node:fs";
import { UsageError, type LaunchOptions } from "./options.ts";

/** Secrets that are handed on when they are in the environment. */
const secrets = ["", "_2", "_3", "_4"].flatMap((nth) => [`ACME_EAB_KID${nth}`, `ACME_EAB_HMAC_KEY${nth}`]);

/** Throws {@link UsageError}, which names all that is missing, when the environment lacks credentials. */
export function edgeVars(options: LaunchOptions, environment: NodeJS.ProcessEnv): Record<string, string> {
  const { zone, acme, cloudflare } = options;
  const vars: Record<string, string | undefined> = { ZONE: zone };
  if (cloudflare) {
    const missing = ["CLOUDFLARE_API_TOKEN", "ZONE_ID"].filter((name) => !environment[name]);
    if (missing.length > 0) throw new UsageError(`--dns cloudflare needs ${missing.join(" and ")} in the environment.`);
    vars["DNS"] = "cloudflare";
    vars["CLOUDFLARE_API"] = cloudflare.api;
    vars["CLOUDFLARE_API_TOKEN"] = environment["CLOUDFLARE_API_TOKEN"];
    vars["ZONE_ID"] = environment["ZONE_ID"];
  }
  if (acme) {
    vars["ISSUER"] = "acme";
    vars["ACME_DIRECTORY"] = acme.directory;
    vars["DOH"] = acme.resolvers;
    if (acme.ca !== undefined) vars["ACME_TRUST"] = "private";
    for (const name of secrets) vars[name] = environment[name];
  }
  return Object.fromEntries(
    Object.entries(vars).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ""),
  );
}

/** What makes a process trust the CA of the ACME directory besides the public ones. Throws {@link UsageError}. */
export function trustOf({ acme }: LaunchOptions): Record<string, string> {
  if (acme?.ca === undefined) return {};
  let text: string;
  try {
    text = readFileSync(acme.ca, "utf8");
  } catch {
    throw new UsageError(`--acme-ca: ${acme.ca} cannot be read.`);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new UsageError(`--acme-ca: ${acme.ca} is no PEM certificate.`);
  return { NODE_EXTRA_CA_CERTS: acme.ca };
}
