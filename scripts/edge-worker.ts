/** How Miniflare runs the bundled edge: what wrangler.toml says for wrangler, and the settings of one machine. */
import { dirname } from "node:path";
import { convertV4MiniflareOptions, type MiniflareOptions } from "miniflare";
import type { LocalCa } from "./local-ca.ts";

/** The same as in wrangler.toml. */
export const compatibilityDate = "2026-10-20";
export const durableObjects = { NODES: "NodeObject", HUBS: "RouteHub", RELAYS: "RelayStatus" } as const;

export interface EdgeSettings {
  readonly port: number;
  readonly stateDir: string;
  readonly bundle: string;
  /** Variables of the worker; those that are undefined have their defaults. */
  readonly vars: Readonly<Record<string, string | undefined>>;
  readonly ca: LocalCa;
  /** Receives each line of the worker's log. */
  readonly writeLine: (line: string) => void;
}

export function edgeWorkerOptions({ port, stateDir, bundle, vars, ca, writeLine }: EdgeSettings): MiniflareOptions {
  const given = Object.entries(vars).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    resourcePersistencePath: stateDir,
    isolatedResourcePersistencePath: stateDir,
    handleStructuredLogs: ({ message }) => writeLine(message),
    workers: [
      {
        name: "postern-edge",
        modules: [{ type: "ESModule", path: bundle }],
        modulesRoot: dirname(bundle),
        compatibilityDate,
        bindings: {
          ...Object.fromEntries(given),
          LOCAL_CA_CERTIFICATE: ca.certificatePem,
          LOCAL_CA_KEY: ca.keyPem,
        },
        durableObjects: Object.fromEntries(
          Object.entries(durableObjects).map(([name, className]) => [name, { className, useSQLite: true }]),
        ),
      },
    ],
  });
}
