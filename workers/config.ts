/** The edge's settings: variables of wrangler.toml and secrets, checked together at the door. */
import { acmeConfigOf, externalAccountsOf, type AcmeConfig, type ExternalAccount } from "./acme/acme-config.ts";
import { decideContradictions, decideWarnings } from "./config-checks.ts";
import { varsSchema, type Vars } from "./config-schema.ts";
import type { Env } from "./env.ts";
import type { LogLevel } from "../shared/log.ts";
import type { NodeId } from "../shared/registry/node-id.ts";
import { parseSettings } from "../shared/settings.ts";

export interface Config {
  /** Every public name ends in it: `postern.localhost`. */
  readonly zone: string;
  /** The relays that are let in. */
  readonly relayKeys: ReadonlySet<NodeId>;
  /** Public addresses under which the fleet is reached as one (anycast); empty: each node has those of its relays. */
  readonly relayAddresses: readonly string[];
  readonly issuer: "local" | "acme";
  readonly acme: AcmeConfig;
  readonly dns: DnsConfig;
  /** DNS-over-HTTPS URLs (RFC 8484) by which the zone is seen from outside. */
  readonly resolvers: readonly string[];
  /** How long a node is served after it was last heard of. */
  readonly leaseMs: number;
  readonly relayHeartbeatMs: number;
  readonly logLevel: LogLevel;
}

export interface DnsConfig {
  readonly provider: "memory" | "cloudflare";
  /** Cloudflare's id of the zone; empty with `memory`. */
  readonly zoneId: string;
  /** Cloudflare's API, without a slash at the end. */
  readonly api: string;
  /** How often all records of the zone are compared with those that are wanted. */
  readonly reconcileMs: number;
  readonly callsPer5Min: number;
  /** The zone's own servers as `address:port`; empty: found by its NS records. */
  readonly authorities: readonly string[];
  /** How long the records of a node outlive its last lease. */
  readonly retentionMs: number;
}

/** Apart from {@link Config}, so that a config can always be printed. */
export interface Secrets {
  readonly localCa?: { readonly certificatePem: string; readonly keyPem: string };
  readonly cloudflareApiToken?: string;
  /** Accounts that a CA's customers are known by (RFC 8555 §7.3.4), by the URL of its directory. */
  readonly externalAccounts: ReadonlyMap<string, ExternalAccount>;
}

export type ReadConfig =
  | { readonly ok: true; readonly config: Config; readonly secrets: Secrets; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the settings; every mistake is reported, by variable name. */
export function readConfig(env: Env): ReadConfig {
  const known = configs.get(env);
  if (known) return known;
  const read = parseConfig(env);
  configs.set(env, read);
  return read;
}

/** The runtime hands the same environment to every request, which never changes. */
const configs = new WeakMap<Env, ReadConfig>();

function parseConfig(env: Env): ReadConfig {
  const parsed = parseSettings(varsSchema, env);
  const contradictions = decideContradictions(env);
  if (!parsed.ok) return { ok: false, problems: [...parsed.mistakes, ...contradictions] };
  if (contradictions.length > 0) return { ok: false, problems: contradictions };
  const vars = parsed.settings;
  const config = configOf(vars);
  const secrets = secretsOf(vars, config);
  return { ok: true, config, secrets, warnings: decideWarnings(config, secrets) };
}

function configOf(vars: Vars): Config {
  return {
    zone: vars.ZONE,
    relayKeys: new Set(vars.RELAY_KEYS),
    relayAddresses: vars.RELAY_ADDRESSES,
    issuer: vars.ISSUER,
    acme: acmeConfigOf(vars),
    dns: {
      provider: vars.DNS,
      zoneId: vars.ZONE_ID ?? "",
      api: vars.CLOUDFLARE_API.replace(/\/+$/, ""),
      reconcileMs: vars.DNS_RECONCILE_MS,
      callsPer5Min: vars.DNS_CALLS_PER_5_MIN,
      authorities: vars.DNS_AUTHORITIES,
      retentionMs: vars.DNS_RETENTION_DAYS * 86_400_000,
    },
    resolvers: vars.DOH,
    leaseMs: vars.LEASE_MS,
    relayHeartbeatMs: vars.RELAY_HEARTBEAT_MS,
    logLevel: vars.LOG_LEVEL,
  };
}

function secretsOf(vars: Vars, { acme }: Config): Secrets {
  const { CA_CERTIFICATE: certificatePem, CA_KEY: keyPem, CLOUDFLARE_API_TOKEN: token } = vars;
  return {
    ...(certificatePem !== undefined && keyPem !== undefined && { localCa: { certificatePem, keyPem } }),
    ...(token !== undefined && { cloudflareApiToken: token }),
    externalAccounts: externalAccountsOf(vars, acme.directories),
  };
}
