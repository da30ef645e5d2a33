import { parseArgs } from "node:util";
import type { VerifyFlags } from "../../tee-bot/cli/verify-actions.ts";
import { UsageError } from "../launcher/options.ts";

export interface VerifyTeeOptions {
  /** The node: `https://name`, `name`, `name:port`. */
  readonly node: string;
  /** Of its gateway, without `/v1`. */
  readonly api: string;
  /** A model that must be among those verified; undefined: whichever there are. */
  readonly model: string | undefined;
  readonly json: boolean;
  readonly flags: VerifyFlags;
}

export const usage = `node scripts/verify-tee.ts NODE [options]

Verifies a running node from outside: its TEE, on a TLS connection of its own, and that of each model that the node says
to have verified, from the evidence that it shows for it. For CI and for whoever is on duty.

  --api URL               where the node's gateway is reached (default: https://NODE); the key is read from POSTERN_API_KEY
  --model NAME            this model has to be among those that are verified
  --json                  one JSON document instead of a table
  --policy FILE, --require CHECKS, --cacert FILE, --connect HOST:PORT, --collateral URL, --resolver URL,
  --simulator-root FILE, --signal-identity DIGITS
                          as for "postern verify"; of a policy only firmware counts for models
  --help                  this text

A CA of its own for --api is named in NODE_EXTRA_CA_CERTS.

Exit codes: 0 all verified (or simulated, where you named the root), 1 refused, 2 could not check, or the command is wrong.
`;

const text = { type: "string" } as const;
const flagNames = {
  api: text,
  model: text,
  json: { type: "boolean", default: false },
  policy: text,
  require: text,
  cacert: text,
  connect: text,
  collateral: text,
  resolver: text,
  "simulator-root": text,
  "signal-identity": text,
  help: { type: "boolean", default: false },
} as const;

/** Undefined: only the usage was asked for. Throws {@link UsageError}. */
export function parseVerifyTeeOptions(args: readonly string[]): VerifyTeeOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [node, another] = positionals;
  if (node === undefined || another !== undefined)
    throw new UsageError("Give one node: https://name, name or name:port.");
  const origin = /^https:\/\//i.test(node) ? node : `https://${node}`;
  const api = URL.parse(values.api ?? origin);
  if (!api || !/^https?:$/.test(api.protocol)) throw new UsageError("--api is no URL.");
  const { policy, require, cacert, connect, collateral, resolver } = values;
  const given = { policy, require, cacert, connect, collateral, resolver };
  const renamed = { simulatorRoot: values["simulator-root"], signalIdentity: values["signal-identity"] };
  return {
    node,
    api: api.href.replace(/\/(?:v1\/?)?$/, ""),
    model: values.model,
    json: values.json,
    flags: Object.fromEntries(Object.entries({ ...given, ...renamed }).filter(([, value]) => value !== undefined)),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flagNames, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
