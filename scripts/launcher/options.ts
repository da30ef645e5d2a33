import { isAbsolute, resolve } from "node:path";
import { parseArgs } from "node:util";

export const developmentZone = "postern.localhost";
export const developmentAlias = "demo";
export const usualPorts = {
  visitors: 8_443,
  edge: 8_787,
  gateway: 31_145,
  control: 8_145,
  hook: 8_146,
  signal: 8_147,
} as const;

export interface LaunchOptions {
  readonly json: boolean;
  /** Absolute path. */
  readonly state: string;
  readonly port: number | undefined;
  readonly edgePort: number | undefined;
  readonly expose: string | undefined;
  readonly zone: string;
  readonly alias: string;
  /** Undefined: as the node's settings have it. */
  readonly tee: "simulated" | undefined;
  /** Undefined: no bot, unless the node's settings have one. */
  readonly signal: "simulated" | undefined;
  /** Undefined: the development CA signs. */
  readonly acme: AcmeOptions | undefined;
  /** Undefined: records are kept in memory only. */
  readonly cloudflare: CloudflareOptions | undefined;
}

export interface AcmeOptions {
  /** As the edge's ACME_DIRECTORY; undefined for its default. */
  readonly directory: string | undefined;
  /** Absolute path of a PEM file: the CA of the directory's own HTTPS, for CAs that are not publicly trusted. */
  readonly ca: string | undefined;
  /** Who holds the ACME account's key. */
  readonly account: "edge" | "node";
  /** DNS-over-HTTPS URLs, comma-separated, by which propagation is judged; undefined for the edge's default. */
  readonly resolvers: string | undefined;
}

export interface CloudflareOptions {
  /** Undefined for Cloudflare's own. */
  readonly api: string | undefined;
}

export const usage = `npm start -- [options]

  --json             print one line of JSON on stdout when ready; everything else goes to stderr
  --state DIR        where keys, certificates and the edge's data are kept (default: .postern, or
                     .postern/simulated with --tee)
  --port N           the port for visitors (default: ${usualPorts.visitors}, or a free one)
  --edge-port N      the port of the edge's API (default: ${usualPorts.edge}, or a free one)
  --expose TARGET    what is behind the name: gateway, http://host:port, tls://host:port[?proxy=v2]
  --alias NAME       the name before the zone (default: ${developmentAlias})
  --tee simulated    a stand-in for a TEE, in which the node runs: all of attestation can be tried, nothing is proved
  --signal simulated the bot, with a stand-in for Signal: a page and a terminal to talk to it without a telephone
  --help             this text

A real zone with certificates of a real CA:

  --zone ZONE           the zone that all names end in (default: ${developmentZone})
  --issuer acme         order certificates by ACME (default: local, a development CA made here)
  --acme-directory URL  letsencrypt (default), letsencrypt-staging, zerossl, google or a URL; several, comma-separated,
                        in the order of preference
  --acme-ca FILE        PEM root of the directory's own HTTPS, for a CA of your own such as Pebble
  --acme-account WHO    who holds the ACME account: edge (default) or node
  --dns cloudflare      write records through Cloudflare's API; CLOUDFLARE_API_TOKEN and ZONE_ID are read from the
                        environment (default: memory, which nobody outside sees)
  --cloudflare-api URL  another address of that API
  --doh URL[,URL]       resolvers to judge propagation by (default: Cloudflare's and Google's)

ACME_EAB_KID and ACME_EAB_HMAC_KEY are read from the environment for CAs that want an external account.
`;

/** A flag that cannot be used; the message says which and why. */
export class UsageError extends Error {}

/** Reads the command line; undefined when only help was asked for. Throws {@link UsageError}. */
export function parseLaunchOptions(args: readonly string[], directory: string): LaunchOptions | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        json: { type: "boolean", default: false },
        state: { type: "string" },
        port: { type: "string" },
        "edge-port": { type: "string" },
        expose: { type: "string" },
        alias: { type: "string", default: developmentAlias },
        tee: { type: "string" },
        signal: { type: "string" },
        zone: { type: "string", default: developmentZone },
        issuer: { type: "string", default: "local" },
        "acme-directory": { type: "string" },
        "acme-ca": { type: "string" },
        "acme-account": { type: "string", default: "edge" },
        dns: { type: "string" },
        "cloudflare-api": { type: "string" },
        doh: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  const issuer = oneOf("--issuer", values.issuer, ["local", "acme"]);
  const dns = oneOf("--dns", values.dns ?? "memory", ["memory", "cloudflare"]);
  const tee = values.tee === undefined ? undefined : oneOf("--tee", values.tee, ["simulated"]);
  const signal = values.signal === undefined ? undefined : oneOf("--signal", values.signal, ["simulated"]);
  const account = oneOf("--acme-account", values["acme-account"], ["edge", "node"]);
  if (issuer === "local")
    for (const flag of ["acme-directory", "acme-ca", "doh"] as const)
      if (values[flag] !== undefined) throw new UsageError(`--${flag} is of use with --issuer acme only.`);
  if (issuer === "acme") {
    if (dns !== "cloudflare")
      throw new UsageError("--issuer acme needs --dns cloudflare: a CA looks for records in the real DNS.");
    if (values.zone === developmentZone)
      throw new UsageError("--issuer acme needs --zone: no CA signs names below postern.localhost.");
  }
  if (dns === "memory" && values["cloudflare-api"] !== undefined)
    throw new UsageError("--cloudflare-api is of use with --dns cloudflare only.");
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(directory, path));
  return {
    json: values.json,
    // Keys of a TEE are another node, whose name would be taken where one without has it.
    state: absolute(values.state ?? (tee === undefined ? ".postern" : ".postern/simulated")),
    port: parsePort("--port", values.port),
    edgePort: parsePort("--edge-port", values["edge-port"]),
    expose: values.expose,
    zone: values.zone.toLowerCase().replace(/\.$/, ""),
    alias: values.alias,
    tee,
    signal,
    acme:
      issuer === "acme"
        ? {
            directory: values["acme-directory"],
            ca: values["acme-ca"] === undefined ? undefined : absolute(values["acme-ca"]),
            account,
            resolvers: values.doh,
          }
        : undefined,
    cloudflare: dns === "cloudflare" ? { api: values["cloudflare-api"] } : undefined,
  };
}

function oneOf<T extends string>(flag: string, value: string, choices: readonly T[]): T {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw new UsageError(`${flag} takes ${choices.join(" or ")}, not "${value}".`);
  return chosen;
}

function parsePort(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new UsageError(`${flag} takes a port from 1 to 65535, not "${text}".`);
  return port;
}
