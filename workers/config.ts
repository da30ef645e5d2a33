/** The edge's settings: variables of wrangler.toml and secrets, checked together at the door. */
import { z } from "zod";
import type { Env } from "./env.ts";
import { logLevels, type LogLevel } from "../shared/log.ts";
import { isNodeId, type NodeId } from "../shared/registry/node-id.ts";
import { parseSettings } from "../shared/settings.ts";

export interface Config {
  /** Every public name ends in it: `postern.localhost`. */
  readonly zone: string;
  /** The relays that are let in. */
  readonly relayKeys: ReadonlySet<NodeId>;
  readonly issuer: "local";
  /** How long a node is served after it was last heard of. */
  readonly leaseMs: number;
  readonly relayHeartbeatMs: number;
  readonly logLevel: LogLevel;
}

/** Apart from {@link Config}, so that a config can always be printed. */
export interface Secrets {
  readonly localCa?: { readonly certificatePem: string; readonly keyPem: string };
}

export type ReadConfig =
  | { readonly ok: true; readonly config: Config; readonly secrets: Secrets; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the settings; every mistake is reported, by variable name. */
export function readConfig(env: Env): ReadConfig {
  const vars = parseSettings(varsSchema, env);
  if (!vars.ok) return { ok: false, problems: vars.mistakes };
  const { ZONE, RELAY_KEYS, ISSUER, LEASE_MS, RELAY_HEARTBEAT_MS, LOG_LEVEL } = vars.settings;
  const { LOCAL_CA_CERTIFICATE: certificatePem, LOCAL_CA_KEY: keyPem } = vars.settings;
  const localCa = certificatePem && keyPem ? { certificatePem, keyPem } : undefined;
  const warnings: string[] = [];
  if (!localCa) warnings.push(`No certificates can be issued: ${missingCaRemedy}`);
  if (RELAY_KEYS.length === 0) warnings.push("RELAY_KEYS is empty: no relay is let in.");
  return {
    ok: true,
    config: {
      zone: ZONE,
      relayKeys: new Set(RELAY_KEYS),
      issuer: ISSUER,
      leaseMs: LEASE_MS,
      relayHeartbeatMs: RELAY_HEARTBEAT_MS,
      logLevel: LOG_LEVEL,
    },
    secrets: localCa ? { localCa } : {},
    warnings,
  };
}

export const missingCaRemedy =
  "the operator has to set the secrets LOCAL_CA_CERTIFICATE and LOCAL_CA_KEY (npm run dev:edge makes them for development).";

const maxZoneLength = 253 - 53; // a 52-character name and its dot stand before it
const zonePattern = /^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const pemPattern = (label: string): RegExp =>
  new RegExp(`^\\s*-----BEGIN ${label}-----[\\s\\S]+-----END ${label}-----\\s*$`);

const varsSchema = z
  .object({
    ZONE: z.string("is missing").regex(zonePattern, "is no DNS name in lower case").max(maxZoneLength),
    RELAY_KEYS: z
      .string()
      .default("")
      .transform((text) => text.split(/[\s,]+/).filter((key) => key !== ""))
      .pipe(z.array(z.string().refine(isNodeId, "a relay key is 64 lower-case hexadecimal characters"))),
    ISSUER: z.literal("local", 'must be "local"').default("local"),
    LOCAL_CA_CERTIFICATE: z.string().regex(pemPattern("CERTIFICATE"), "is no PEM certificate").optional(),
    LOCAL_CA_KEY: z.string().regex(pemPattern("PRIVATE KEY"), "is no PEM private key (PKCS #8)").optional(),
    LEASE_MS: z.coerce.number().int().min(1_000).max(86_400_000).default(90_000),
    RELAY_HEARTBEAT_MS: z.coerce.number().int().min(100).max(600_000).default(10_000),
    LOG_LEVEL: z.enum(logLevels).default("info"),
  })
  .refine((vars) => (vars.LOCAL_CA_CERTIFICATE === undefined) === (vars.LOCAL_CA_KEY === undefined), {
    message: "LOCAL_CA_CERTIFICATE and LOCAL_CA_KEY: one is set without the other",
  });
