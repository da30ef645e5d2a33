import { readFileSync } from "node:fs";
import { z } from "zod";
import { logLevels } from "../shared/log.ts";
import { addressSchema, hostnameSchema, placeSchema } from "../shared/registry/messages.ts";
import type { SharesOptions } from "./limits/shares.ts";
import { parseSettings } from "../shared/settings.ts";

const defaultOpenFiles = 10_000; // where the system does not say

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().min(1);
const milliseconds = z.coerce.number().int().min(10);
const place = z
  .string()
  .transform((text) => text.split(",").map((part) => Number(part)))
  .transform(([latitude, longitude]) => ({ latitude, longitude }))
  .pipe(placeSchema);

const addresses = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ""))
  .pipe(z.array(addressSchema).max(8));

/** DNS servers as Node.js takes them: `192.0.2.53`, `[2001:db8::53]:5353`. `off`: DNS is not asked. */
const dnsServers = z
  .string()
  .transform((text) => (text === "off" ? undefined : text.split(/[\s,]+/).filter((part) => part !== "")))
  .pipe(z.array(z.string().regex(/^(\[[\da-f:.]+\](:\d{1,5})?|[\d.]+(:\d{1,5})?|[\da-f:.]+)$/i)).optional());

/** Every setting of a relay: its environment variable, its form and its default. */
const environmentSchema = z.object({
  /** Origin of the edge, e.g. `https://edge.example.com`. */
  RELAY_EDGE_URL: z.url({ protocol: /^https?$/ }),
  RELAY_ZONE: hostnameSchema.toLowerCase(),
  /** The relay's own name, the SNI of tunnels. */
  RELAY_NAME: hostnameSchema.toLowerCase().optional(),
  /** Where visitors and tunnels connect; 0 is any free port. */
  RELAY_LISTEN_HOST: z.string().default("::"),
  RELAY_PORT: port.default(443),
  /** Health and metrics, for the operator only. */
  RELAY_PRIVATE_HOST: z.string().default("127.0.0.1"),
  RELAY_PRIVATE_PORT: port.default(9090),
  /** How nodes reach this relay, where that is not its name and listening port. */
  RELAY_PUBLIC_HOST: z.string().min(1).max(253).optional(),
  RELAY_PUBLIC_PORT: port.min(1).optional(),
  /** IPv4 and IPv6 addresses where visitors reach this relay, comma-separated, where its public host is a name. */
  RELAY_PUBLIC_ADDRESSES: addresses.optional(),
  RELAY_IDENTITY_FILE: z.string().min(1),
  /** Keeps the routes over a restart without the edge. */
  RELAY_STATE_DIR: z.string().min(1).optional(),
  /** `latitude,longitude` */
  RELAY_PLACE: place.optional(),
  LOG_LEVEL: z.enum(logLevels).default("info"),
  /** One line for each visitor at its end. */
  ACCESS_LOG: z.enum(["on", "off"]).default("on"),

  /** Whether this relay looks from outside whether visitors get through to nodes. */
  RELAY_PROBES: z.enum(["on", "off"]).default("on"),
  /** How often each path is looked at, as far as {@link RELAY_PROBES_PER_SECOND} allow; and one that has just failed. */
  RELAY_PROBE_MS: milliseconds.default(20_000),
  RELAY_PROBE_RETRY_MS: milliseconds.default(5_000),
  RELAY_PROBES_PER_SECOND: count.max(1_000).default(20),
  /** Who is asked where names lead; empty: the system's. */
  RELAY_DNS_SERVERS: dnsServers.default([]),

  /** Threads that take connections. */
  RELAY_WORKERS: count.max(64).default(1),
  RELAY_MAX_CONNECTIONS: count.optional(),
  RELAY_MAX_VISITORS: count.optional(),
  /** Open visitors of one node, and of one client network (an IPv4 address or an IPv6 /64). */
  RELAY_MAX_VISITORS_PER_NODE: count.optional(),
  RELAY_MAX_VISITORS_PER_NETWORK: count.optional(),
  /** Visitors that may be forwarded to other relays, and as many by them: in all, and to or by one of them. */
  RELAY_MAX_FORWARDED: count.optional(),
  RELAY_MAX_FORWARDED_PER_PEER: count.optional(),
  /** New visitors in a second, and at once. */
  RELAY_NODE_RATE: count.default(4_000),
  RELAY_NODE_BURST: count.default(8_000),
  RELAY_NETWORK_RATE: count.default(4_000),
  RELAY_NETWORK_BURST: count.default(8_000),
  RELAY_PEER_RATE: count.default(8_000),
  RELAY_PEER_BURST: count.default(16_000),
  RELAY_MAX_PENDING_HELLOS: count.default(4_096),
  RELAY_MAX_PENDING_HELLOS_PER_ADDRESS: count.default(1_024),
  RELAY_MAX_TUNNELS_PER_NODE: count.default(8),
  RELAY_POOL_FLOOR: count.default(32),
  RELAY_POOL_CAP: count.default(512),
  RELAY_HELLO_MS: milliseconds.default(5_000),
  RELAY_PAIRING_MS: milliseconds.default(5_000),
  /** Without a byte in either direction. */
  RELAY_IDLE_MS: milliseconds.default(15 * 60_000),
  /** While bytes wait for a visitor or node that takes none of them. */
  RELAY_STALLED_MS: milliseconds.default(5 * 60_000),
  RELAY_PING_MS: milliseconds.min(100).max(60_000).default(2_000),
  /** After SIGTERM, until visitors that are still here are cut off. */
  RELAY_DRAIN_MS: milliseconds.default(30_000),
  /** After SIGTERM, how long no visitor must have come until the port is closed. */
  RELAY_DRAIN_QUIET_MS: milliseconds.default(3_000),
});

export type ShareLimits = Pick<SharesOptions, "perSecond" | "burst" | "maxOpen">;

export interface RelayLimits {
  /** Open sockets in all; one more is closed as it comes. */
  readonly maxConnections: number;
  readonly maxVisitors: number;
  readonly perNode: ShareLimits;
  readonly perNetwork: ShareLimits;
  /** Visitors forwarded to other relays, and as many by them; and what one other relay may have of either. */
  readonly maxForwarded: number;
  readonly perPeer: ShareLimits;
  /** Connections that have not said yet what they want; the oldest makes room for the newest. */
  readonly maxPendingHellos: number;
  readonly maxPendingHellosPerAddress: number;
  readonly maxTunnelsPerNode: number;
  readonly poolFloor: number;
  readonly poolCap: number;
  readonly helloMs: number;
  readonly pairingMs: number;
  readonly idleMs: number;
  readonly stalledMs: number;
  readonly pingMs: number;
  readonly drainMs: number;
  readonly drainQuietMs: number;
}

export type RelayConfig = ReturnType<typeof readConfig>;

/** The settings, defaults filled in. Throws one error that names every variable that is missing or wrong. */
export function readConfig(environment: NodeJS.ProcessEnv, openFiles: number = readOpenFilesLimit()) {
  const parsed = parseSettings(environmentSchema, environment);
  if (!parsed.ok)
    throw new Error(
      `The relay cannot start with these settings:\n${parsed.mistakes.map((one) => `  ${one}`).join("\n")}`,
    );
  const env = parsed.settings;
  const name = env.RELAY_NAME ?? `relay.${env.RELAY_ZONE}`;
  const maxConnections = env.RELAY_MAX_CONNECTIONS ?? Math.floor(0.95 * openFiles);
  // A visitor takes two sockets, its own and one of the pool; the rest is for hellos, pools and tunnels.
  const maxVisitors = env.RELAY_MAX_VISITORS ?? Math.max(1, Math.floor(0.4 * maxConnections));
  const largestShare = Math.ceil(0.75 * maxVisitors); // nobody takes all there is
  return {
    edge: env.RELAY_EDGE_URL,
    zone: env.RELAY_ZONE,
    name,
    listen: { host: env.RELAY_LISTEN_HOST, port: env.RELAY_PORT },
    private: { host: env.RELAY_PRIVATE_HOST, port: env.RELAY_PRIVATE_PORT },
    /** The port is that of the listener unless set. */
    public: {
      host: env.RELAY_PUBLIC_HOST ?? name,
      port: env.RELAY_PUBLIC_PORT,
      addresses: env.RELAY_PUBLIC_ADDRESSES,
    },
    identityFile: env.RELAY_IDENTITY_FILE,
    stateDir: env.RELAY_STATE_DIR,
    place: env.RELAY_PLACE,
    logLevel: env.LOG_LEVEL,
    accessLog: env.ACCESS_LOG === "on",
    probes: {
      on: env.RELAY_PROBES === "on",
      everyMs: env.RELAY_PROBE_MS,
      retryMs: env.RELAY_PROBE_RETRY_MS,
      perSecond: env.RELAY_PROBES_PER_SECOND,
      /** Empty: the system's; undefined: DNS has no say. */
      dnsServers: env.RELAY_DNS_SERVERS,
    },
    workers: env.RELAY_WORKERS,
    limits: {
      maxConnections,
      maxVisitors,
      perNode: {
        maxOpen: env.RELAY_MAX_VISITORS_PER_NODE ?? largestShare,
        perSecond: env.RELAY_NODE_RATE,
        burst: env.RELAY_NODE_BURST,
      },
      perNetwork: {
        maxOpen: env.RELAY_MAX_VISITORS_PER_NETWORK ?? largestShare,
        perSecond: env.RELAY_NETWORK_RATE,
        burst: env.RELAY_NETWORK_BURST,
      },
      maxForwarded: env.RELAY_MAX_FORWARDED ?? largestShare,
      perPeer: {
        maxOpen: env.RELAY_MAX_FORWARDED_PER_PEER ?? largestShare,
        perSecond: env.RELAY_PEER_RATE,
        burst: env.RELAY_PEER_BURST,
      },
      maxPendingHellos: env.RELAY_MAX_PENDING_HELLOS,
      maxPendingHellosPerAddress: env.RELAY_MAX_PENDING_HELLOS_PER_ADDRESS,
      maxTunnelsPerNode: env.RELAY_MAX_TUNNELS_PER_NODE,
      poolFloor: Math.min(env.RELAY_POOL_FLOOR, env.RELAY_POOL_CAP),
      poolCap: env.RELAY_POOL_CAP,
      helloMs: env.RELAY_HELLO_MS,
      pairingMs: env.RELAY_PAIRING_MS,
      idleMs: env.RELAY_IDLE_MS,
      stalledMs: env.RELAY_STALLED_MS,
      pingMs: env.RELAY_PING_MS,
      drainMs: env.RELAY_DRAIN_MS,
      drainQuietMs: env.RELAY_DRAIN_QUIET_MS,
    } satisfies RelayLimits,
  };
}

/** How many files this process may open. Node raises the soft limit to the hard one at its start. */
function readOpenFilesLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === undefined ? defaultOpenFiles : Number(limit);
  } catch {
    return defaultOpenFiles;
  }
}
