/** How Miniflare runs the bundled edge: what wrangler.toml says for wrangler, and the settings of one machine. */
import { dirname } from "node:path";
import { convertV4MiniflareOptions, type MiniflareOptions } from "miniflare";

/** The same as in wrangler.toml. */
export const compatibilityDate = "2026-10-20";
export const compatibilityFlags = ["nodejs_compat"];
export const durableObjects = {
  NODES: "NodeObject",
  HUBS: "RouteHub",
  RELAYS: "RelayStatus",
  ZONES: "DnsZone",
  ACCOUNTS: "AcmeAccount",
  INBOXES: "InboxObject",
} as const;

export interface EdgeSettings {
  readonly port: number;
  readonly stateDir: string;
  readonly bundle: string;
  /** Variables and secrets of the worker; those that are undefined have their defaults. */
  readonly vars: Readonly<Record<string, string | undefined>>;
  /** Receives each line of the worker's log. */
  readonly writeLine: (line: string) => void;
}

export function edgeWorkerOptions({ port, stateDir, bundle, vars, writeLine }: EdgeSettings): MiniflareOptions {
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
        compatibilityFlags,
        bindings: Object.fromEntries(given),
        durableObjects: Object.fromEntries(
          Object.entries(durableObjects).map(([name, className]) => [name, { className, useSQLite: true }]),
        ),
      },
    ],
  });
}
