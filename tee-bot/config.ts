import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../shared/errors.ts";
import { logLevels, type LogLevel } from "../shared/log.ts";
import { parseAlias } from "../shared/registry/names.ts";
import { parseSettings } from "../shared/settings.ts";
import { parseTarget, type Target } from "./expose/target.ts";
import { transportSettings, type TransportSetting } from "./tunnel/transport.ts";

export const defaultGatewayPort = 31_145;
export const defaultControlPort = 8_145;
export const defaultStateDirectory = ".postern/node";

const port = z.coerce.number().int().min(0).max(65_535);

/** Text that a parser of ours reads; what it refuses is a mistake like any other. */
function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof AppError ? error.detail : String(error) });
      return z.NEVER;
    }
  });
}

/** Whose ACME account orders the certificate: the edge's, or one that this node has for itself. */
export const custodies = ["edge", "node"] as const;
export type Custody = (typeof custodies)[number];

/** The settings of a node; a command-line flag of the same meaning wins over the variable. */
const environmentSchema = z.object({
  POSTERN_EDGE: z.url({ protocol: /^https?$/, error: "give the edge's address, e.g. https://edge.example.com" }),
  POSTERN_STATE: z.string().min(1).default(defaultStateDirectory),
  POSTERN_ALIAS: parsed(parseAlias).optional(),
  POSTERN_EXPOSE: parsed(parseTarget).optional(),
  POSTERN_ACME_ACCOUNT: z.enum(custodies, { error: `give one of ${custodies.join(", ")}` }).default("edge"),
  POSTERN_TUNNEL: z.enum(transportSettings, { error: `give one of ${transportSettings.join(", ")}` }).default("auto"),
  POSTERN_GATEWAY_PORT: port.default(defaultGatewayPort),
  POSTERN_CONTROL_PORT: port.default(defaultControlPort),
  LOG_LEVEL: z.enum(logLevels).default("info"),
});

export interface NodeConfig {
  /** Origin of the edge. */
  readonly edge: string;
  readonly alias: string | undefined;
  /** What to expose; undefined: what was chosen last, else the gateway. */
  readonly target: Target | undefined;
  readonly acmeAccount: Custody;
  /** How visitors come from the relays. */
  readonly tunnel: { readonly transport: TransportSetting };
  /** Local ports on 127.0.0.1; 0 is any free one. */
  readonly gatewayPort: number;
  readonly controlPort: number;
  readonly logLevel: LogLevel;
  readonly files: NodeFiles;
}

/** Where a node keeps what must outlive it. */
export interface NodeFiles {
  readonly directory: string;
  readonly identity: string;
  readonly tlsKey: string;
  readonly certificate: string;
  /** The chain above the leaf, PEM. */
  readonly issuerChain: string;
  readonly renewal: string;
  readonly order: string;
  readonly history: string;
  readonly acmeKey: string;
  readonly acmeAccounts: string;
  readonly announcedAccounts: string;
  readonly registration: string;
  readonly issuer: string;
  readonly exposure: string;
  readonly control: string;
}

export function filesIn(directory: string): NodeFiles {
  return {
    directory,
    identity: join(directory, "identity.pem"),
    tlsKey: join(directory, "tls.key"),
    certificate: join(directory, "certificate.pem"),
    issuerChain: join(directory, "issuer-chain.pem"),
    renewal: join(directory, "certificate.json"),
    order: join(directory, "order.json"),
    history: join(directory, "certificate-history.json"),
    acmeKey: join(directory, "acme-account.pem"),
    acmeAccounts: join(directory, "acme-accounts.json"),
    announcedAccounts: join(directory, "announced-accounts.json"),
    registration: join(directory, "registration.json"),
    issuer: join(directory, "issuer.json"),
    exposure: join(directory, "exposure.json"),
    control: join(directory, "control.json"),
  };
}

/** Throws one error that names every variable that is missing or wrong. */
export function readConfig(environment: NodeJS.ProcessEnv): NodeConfig {
  const read = parseSettings(environmentSchema, environment);
  if (!read.ok)
    throw new AppError(
      "bad-request",
      `Some settings cannot be used.\n${read.mistakes.map((one) => `  ${one}`).join("\n")}`,
    );
  const env = read.settings;
  return {
    edge: env.POSTERN_EDGE,
    alias: env.POSTERN_ALIAS,
    target: env.POSTERN_EXPOSE,
    acmeAccount: env.POSTERN_ACME_ACCOUNT,
    tunnel: { transport: env.POSTERN_TUNNEL },
    gatewayPort: env.POSTERN_GATEWAY_PORT,
    controlPort: env.POSTERN_CONTROL_PORT,
    logLevel: env.LOG_LEVEL,
    files: filesIn(env.POSTERN_STATE),
  };
}
