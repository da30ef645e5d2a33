import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../launcher/options.ts";

export interface SetupOptions {
  /** The Worker's name at Cloudflare; undefined: the one of last time, or postern-edge. */
  readonly name: string | undefined;
  /** A host of its own for the edge's API; undefined: the one of last time, or the account's workers.dev. */
  readonly host: string | undefined;
  /** Settings of the edge that flags give, by variable name. */
  readonly settings: Readonly<Record<string, string>>;
  /** What to do when the zone has Universal SSL; undefined: ask. */
  readonly universalSsl: "off" | "keep" | undefined;
  readonly replaceSecrets: boolean;
  /** Never ask. */
  readonly yes: boolean;
  /** Absolute path of the program instead of wrangler. */
  readonly wrangler: string | undefined;
}

export const usage = `npm run setup:edge -- [options]

Deploys the edge to Cloudflare, step by step: the zone, the token, Universal SSL, the CA, relays, secrets, the Worker.
Run it again at any time: what is done already is left alone. docs/deploy-edge.md explains each step.

  --zone NAME             the zone that all names of nodes end in
  --zone-id ID            its id at Cloudflare (default: looked up by name)
  --issuer acme|local     who signs: an ACME CA (default), or a CA made here for a closed network
  --acme-directory LIST   letsencrypt (default), zerossl, google, letsencrypt-staging, google-staging or URLs,
                          comma-separated, in the order of preference
  --acme-contact MAIL     where the CA may write to
  --relay-keys LIST       public keys of the relays that may connect, comma-separated
  --name NAME             the Worker's name (default: postern-edge)
  --host NAME             a host of its own for the edge's API, in another zone of the account than that of the nodes
                          (default: the account's workers.dev)
  --universal-ssl off     turn Universal SSL of the zone off; "keep" leaves it on (default: ask)
  --replace-secrets       put secrets again that the Worker has already
  --yes                   never ask: take defaults, and fail where there is none
  --cloudflare-api URL    another address of Cloudflare's API
  --wrangler PROGRAM      another program than the wrangler of this checkout
  --help                  this text

Every setting of the edge may be given in the environment by its own name. Secrets are only read from there, or asked:

  CLOUDFLARE_API_TOKEN    for the edge: may edit DNS of that zone, and nothing else
  ACME_EAB_KID, ACME_EAB_HMAC_KEY       for ZeroSSL and Google (_2, _3, _4 for the following directories)
  CLOUDFLARE_DEPLOY_TOKEN for wrangler, which deploys; leave it out after "npx wrangler login"
`;

const settingFlags = {
  zone: "ZONE",
  "zone-id": "ZONE_ID",
  issuer: "ISSUER",
  "acme-directory": "ACME_DIRECTORY",
  "acme-contact": "ACME_CONTACT",
  "relay-keys": "RELAY_KEYS",
  "cloudflare-api": "CLOUDFLARE_API",
} as const;

/** Undefined when help was asked for. Throws {@link UsageError}. */
export function parseSetupOptions(args: readonly string[], directory: string): SetupOptions | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        zone: { type: "string" },
        "zone-id": { type: "string" },
        issuer: { type: "string" },
        "acme-directory": { type: "string" },
        "acme-contact": { type: "string" },
        "relay-keys": { type: "string" },
        "cloudflare-api": { type: "string" },
        name: { type: "string" },
        host: { type: "string" },
        "universal-ssl": { type: "string" },
        "replace-secrets": { type: "boolean", default: false },
        yes: { type: "boolean", short: "y", default: false },
        wrangler: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  const universalSsl = values["universal-ssl"];
  if (universalSsl !== undefined && universalSsl !== "off" && universalSsl !== "keep")
    throw new UsageError(`--universal-ssl takes off or keep, not "${universalSsl}".`);
  if (values.name !== undefined && !/^[a-z0-9][a-z0-9-]{0,53}$/.test(values.name))
    throw new UsageError("--name takes up to 54 lower-case letters, digits and hyphens.");
  const settings: Record<string, string> = {};
  for (const [flag, variable] of Object.entries(settingFlags)) {
    const value = values[flag as keyof typeof settingFlags];
    if (value !== undefined) settings[variable] = value;
  }
  return {
    name: values.name,
    host: values.host?.toLowerCase(),
    settings,
    universalSsl,
    replaceSecrets: values["replace-secrets"],
    yes: values.yes,
    wrangler: values.wrangler === undefined ? undefined : resolve(directory, values.wrangler),
  };
}
