/** The node's part of `postern.yaml`: who it is, what it exposes, how it is reached. */
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { logLevels } from "../../shared/log.ts";
import { parseAlias } from "../../shared/registry/names.ts";
import { parseTarget } from "../expose/target.ts";
import { transportSettings } from "../tunnel/transport.ts";

export const defaultGatewayPort = 31_145;
export const defaultControlPort = 8_145;

/** Whose ACME account orders the certificate: the edge's, or one that this node has for itself. */
export const custodies = ["edge", "node"] as const;
export type Custody = (typeof custodies)[number];

export const edgeWanted = "give the edge's address, e.g. https://edge.example.com";

const port = z.int().min(0).max(65_535);

export const nodeSettingsSchema = z.strictObject({
  /** Only a node that starts needs it. */
  edge: z.url({ protocol: /^https?$/, error: edgeWanted }).optional(),
  alias: parsed(parseAlias).optional(),
  /** Undefined: what was chosen last, else the gateway. */
  expose: parsed(parseTarget).optional(),
  acmeAccount: z.enum(custodies).default("edge"),
  tunnel: z.enum(transportSettings).default("auto"),
  /** Local ports on 127.0.0.1; 0 is any free one. */
  ports: z
    .strictObject({ gateway: port.default(defaultGatewayPort), control: port.default(defaultControlPort) })
    .prefault({}),
  logLevel: z.enum(logLevels).default("info"),
});

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
