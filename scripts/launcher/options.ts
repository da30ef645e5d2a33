import { isAbsolute, resolve } from "node:path";
import { parseArgs } from "node:util";

export const developmentZone = "postern.localhost";
export const developmentAlias = "demo";
export const usualPorts = { visitors: 8_443, edge: 8_787, gateway: 31_145, control: 8_145 } as const;

export interface LaunchOptions {
  readonly json: boolean;
  /** Absolute path. */
  readonly state: string;
  readonly port: number | undefined;
  readonly edgePort: number | undefined;
  readonly expose: string | undefined;
}

export const usage = `npm start -- [options]

  --json             print one line of JSON on stdout when ready; everything else goes to stderr
  --state DIR        where keys, certificates and the edge's data are kept (default: .postern)
  --port N           the port for visitors (default: ${usualPorts.visitors}, or a free one)
  --edge-port N      the port of the edge's API (default: ${usualPorts.edge}, or a free one)
  --expose TARGET    what is behind the name: gateway, http://host:port, tls://host:port[?proxy=v2]
  --help             this text
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
        state: { type: "string", default: ".postern" },
        port: { type: "string" },
        "edge-port": { type: "string" },
        expose: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  return {
    json: values.json,
    state: isAbsolute(values.state) ? values.state : resolve(directory, values.state),
    port: parsePort("--port", values.port),
    edgePort: parsePort("--edge-port", values["edge-port"]),
    expose: values.expose,
  };
}

function parsePort(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new UsageError(`${flag} takes a port from 1 to 65535, not "${text}".`);
  return port;
}
