/** The part of the settings that is about ACME. */
import { directoryOf, stagingOfLetsEncrypt, type Directory } from "./directories.ts";
import type { Vars } from "../config-schema.ts";
import type { IssuanceLimits } from "../../shared/acme/budget.ts";

export interface AcmeConfig {
  /** In the order of preference; empty when another issuer signs. */
  readonly directories: readonly Directory[];
  /** Where renewals are rehearsed; undefined for none. */
  readonly staging: Directory | undefined;
  /** A mail address for the CAs' notices. */
  readonly contact: string | undefined;
  readonly limits: IssuanceLimits;
  /** `private`: the CA is not among the roots that clients have. */
  readonly trust: "public" | "private";
  /** PEM, one certificate each. */
  readonly roots: readonly string[];
  /** Domains that name the CA in CAA records, for directories that name none themselves. */
  readonly caaIdentities: readonly string[];
  readonly rehearsalMs: number;
  /** How often a CA is asked for its renewal window, whatever it says itself; undefined: as it says. */
  readonly renewalLookMs: number | undefined;
  /** How often the CAA records in force are looked at from outside. */
  readonly caaLookMs: number;
}

export interface ExternalAccount {
  readonly kid: string;
  /** base64url. */
  readonly hmacKey: string;
}

export function acmeConfigOf(vars: Vars): AcmeConfig {
  const directories = vars.ISSUER === "acme" ? vars.ACME_DIRECTORY.map(directoryOf) : [];
  return {
    directories,
    staging: stagingOf(vars.ACME_STAGING_DIRECTORY, directories),
    contact: vars.ACME_CONTACT,
    limits: vars.ACME_LIMITS,
    trust: vars.ACME_TRUST,
    roots: vars.ACME_ROOTS,
    caaIdentities: vars.ACME_CAA,
    rehearsalMs: vars.REHEARSAL_MS,
    renewalLookMs: vars.RENEWAL_LOOK_MS,
    caaLookMs: vars.CAA_LOOK_MS,
  };
}

/** By the directory's URL: the first pair is the first directory's, and so on. */
export function externalAccountsOf(vars: Vars, directories: readonly Directory[]): Map<string, ExternalAccount> {
  const pairs = [
    [vars.ACME_EAB_KID, vars.ACME_EAB_HMAC_KEY],
    [vars.ACME_EAB_KID_2, vars.ACME_EAB_HMAC_KEY_2],
    [vars.ACME_EAB_KID_3, vars.ACME_EAB_HMAC_KEY_3],
    [vars.ACME_EAB_KID_4, vars.ACME_EAB_HMAC_KEY_4],
  ];
  const accounts = new Map<string, ExternalAccount>();
  for (const [index, { url }] of directories.entries()) {
    const [kid, hmacKey] = pairs[index] ?? [];
    if (kid !== undefined && hmacKey !== undefined) accounts.set(url, { kid, hmacKey });
  }
  return accounts;
}

/** By default Let's Encrypt is rehearsed at its own staging directory, which does not count against its limits. */
function stagingOf(setting: string | undefined, directories: readonly Directory[]): Directory | undefined {
  if (directories.length === 0 || setting === "off") return undefined;
  if (setting !== undefined) return directoryOf(setting);
  return directories[0]?.name === "letsencrypt" ? stagingOfLetsEncrypt : undefined;
}
