/** Every variable and secret of the edge, each by itself; what they must be together is in config-checks.ts. */
import { z } from "zod";
import { directoryNames } from "./acme/directories.ts";
import { defaultIssuanceLimits, parseIssuanceLimits } from "../shared/acme/limits.ts";
import { errorText } from "../shared/errors.ts";
import { logLevels } from "../shared/log.ts";
import { isLoopbackUrl } from "../shared/loopback.ts";
import { isNodeId } from "../shared/registry/node-id.ts";

const dayMs = 86_400_000;
const maxDirectories = 4;
const maxResolvers = 8;
const maxZoneLength = 253 - 53; // a 52-character name and its dot stand before it
const zonePattern = /^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Items separated by commas, spaces or lines. */
const listOf = <T extends z.ZodType<unknown, string>>(item: T) =>
  z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ""))
    .pipe(z.array(item));

const url = z.string().refine(isSafeUrl, "is no https: URL (http: is for loopback only)");
const directory = z.string().refine((text) => directoryNames.includes(text) || isSafeUrl(text), {
  message: `is neither one of ${directoryNames.join(", ")} nor an https: URL`,
});
const durationMs = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** Secrets are often pasted with a line's end; what is wrong with one is said without repeating it. */
const secret = (pattern: RegExp, message: string) => z.string().trim().regex(pattern, message).optional();
const pem = (label: string) => new RegExp(`^-----BEGIN ${label}-----[\\s\\S]+-----END ${label}-----$`);
const externalKid = secret(/^[\x21-\x7e]{1,256}$/, "is no key id");
const externalKey = secret(/^[\w-]{16,512}={0,2}$/, "is no base64url key");

export const varsSchema = z.object({
  ZONE: z.string("is missing").regex(zonePattern, "is no DNS name in lower case").max(maxZoneLength),
  RELAY_KEYS: listOf(z.string().refine(isNodeId, "a relay key is 64 lower-case hexadecimal characters")).default([]),
  RELAY_ADDRESSES: listOf(z.union([z.ipv4(), z.ipv6()], "an address is an IPv4 or IPv6 literal")).default([]),
  LEASE_MS: durationMs(1_000, dayMs).default(90_000),
  RELAY_HEARTBEAT_MS: durationMs(100, 600_000).default(10_000),
  LOG_LEVEL: z.enum(logLevels).default("info"),

  ISSUER: z.enum(["local", "acme"], 'must be "local" or "acme"').default("local"),
  CA_CERTIFICATE: secret(pem("CERTIFICATE"), "is no PEM certificate"),
  CA_KEY: secret(pem("PRIVATE KEY"), "is no PEM private key (PKCS #8)"),
  ACME_DIRECTORY: listOf(directory)
    .refine((list) => list.length <= maxDirectories, `at most ${maxDirectories} directories`)
    .refine((list) => new Set(list).size === list.length, "a directory is named twice")
    .default(["letsencrypt"]),
  ACME_STAGING_DIRECTORY: z.union([z.literal("off"), directory], 'is neither "off" nor a directory').optional(),
  ACME_CONTACT: z
    .string()
    .regex(/^(mailto:)?[^\s@:]+@[^\s@:]+$/, "is no e-mail address")
    .transform((text) => text.replace(/^mailto:/, ""))
    .optional(),
  ACME_LIMITS: z
    .string()
    .default(defaultIssuanceLimits)
    .transform((text, context) => {
      try {
        return parseIssuanceLimits(text);
      } catch (error) {
        context.addIssue(errorText(error));
        return z.NEVER;
      }
    }),
  ACME_TRUST: z.enum(["public", "private"], 'must be "public" or "private"').default("public"),
  ACME_ROOTS: z
    .string()
    .trim()
    .regex(pem("CERTIFICATE"), "is no PEM certificate")
    .transform((text) => text.split(/(?<=-----END CERTIFICATE-----)\s*/))
    .default([]),
  ACME_CAA: listOf(z.string().regex(zonePattern, "is no DNS name in lower case")).default([]),
  ACME_EAB_KID: externalKid,
  ACME_EAB_HMAC_KEY: externalKey,
  ACME_EAB_KID_2: externalKid,
  ACME_EAB_HMAC_KEY_2: externalKey,
  ACME_EAB_KID_3: externalKid,
  ACME_EAB_HMAC_KEY_3: externalKey,
  ACME_EAB_KID_4: externalKid,
  ACME_EAB_HMAC_KEY_4: externalKey,
  REHEARSAL_MS: durationMs(1_000, 90 * dayMs).default(7 * dayMs),
  RENEWAL_LOOK_MS: durationMs(100, dayMs).optional(),
  CAA_LOOK_MS: durationMs(100, 30 * dayMs).default(dayMs),

  DNS: z.enum(["memory", "cloudflare"], 'must be "memory" or "cloudflare"').default("memory"),
  ZONE_ID: z
    .string()
    .regex(/^[\w-]{1,64}$/, "is no zone id (Cloudflare shows it on the zone's overview)")
    .optional(),
  CLOUDFLARE_API: url.default("https://api.cloudflare.com/client/v4"),
  CLOUDFLARE_API_TOKEN: secret(/^[\x21-\x7e]{1,300}$/, "is no API token"),
  DNS_RECONCILE_MS: durationMs(100, dayMs).default(60_000),
  DNS_CALLS_PER_5_MIN: z.coerce.number().int().min(10).max(1_000_000).default(1_000), // Cloudflare allows 1,200
  DNS_RETENTION_DAYS: z.coerce.number().min(0).max(3_650).default(30),
  DNS_AUTHORITIES: listOf(z.string().regex(/^(\[[\da-f:.]+\]|[\d.]+):\d{1,5}$/, "is no address:port")).default([]),
  DOH: listOf(url)
    .refine((list) => list.length <= maxResolvers, `at most ${maxResolvers} resolvers`)
    .default(["https://cloudflare-dns.com/dns-query", "https://dns.google/dns-query"]),
});

export type Vars = z.infer<typeof varsSchema>;

/** https: anywhere, http: on loopback; without credentials, which would end up in logs. */
function isSafeUrl(text: string): boolean {
  const parsed = URL.parse(text);
  if (!parsed || parsed.username !== "" || parsed.password !== "") return false;
  if (parsed.protocol === "https:") return true;
  return parsed.protocol === "http:" && isLoopbackUrl(parsed);
}
