/**
 * The edge of a development machine as one process: Miniflare on the bundle, with state that lasts. Started by the
 * launcher with an IPC channel, told `{ ready: true, port }`, and gone when the launcher is.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { edgeWorkerOptions } from "./edge-worker.ts";
import { readOrCreateLocalCa } from "./local-ca.ts";
import { quietEnvironment } from "./wrangler.ts";
import { aborted, onTermination } from "../shared/nodejs/termination.ts";

const settingsSchema = z.object({
  EDGE_PORT: z.coerce.number().int().min(0).max(65_535),
  EDGE_STATE: z.string().min(1),
  EDGE_BUNDLE: z.string().min(1),
  EDGE_ZONE: z.string().min(1),
  EDGE_RELAY_KEYS: z.string(),
  EDGE_CA_DIR: z.string().min(1),
  EDGE_LEASE_MS: z.string().optional(),
  EDGE_RELAY_HEARTBEAT_MS: z.string().optional(),
  LOG_LEVEL: z.string().optional(),
});

const stop = onTermination();
const settings = settingsSchema.safeParse(process.env);
if (!settings.success) {
  process.stderr.write(`The edge's settings are not complete:\n${z.prettifyError(settings.error)}\n`);
  process.exit(2);
}
const { EDGE_PORT, EDGE_STATE, EDGE_BUNDLE, EDGE_ZONE, EDGE_RELAY_KEYS, EDGE_CA_DIR } = settings.data;

// Miniflare reads these when it is loaded.
const require = createRequire(import.meta.url);
Object.assign(process.env, quietEnvironment);
if (process.platform !== "win32") {
  process.env["POSTERN_WORKERD"] = (require("workerd") as { default: string }).default;
  process.env["MINIFLARE_WORKERD_PATH"] = join(import.meta.dirname, "workerd.sh");
}
const { Miniflare } = await import("miniflare");

const edge = new Miniflare(
  edgeWorkerOptions({
    port: EDGE_PORT,
    stateDir: EDGE_STATE,
    bundle: EDGE_BUNDLE,
    ca: await readOrCreateLocalCa(EDGE_CA_DIR, EDGE_ZONE),
    vars: {
      ZONE: EDGE_ZONE,
      RELAY_KEYS: EDGE_RELAY_KEYS,
      LEASE_MS: settings.data.EDGE_LEASE_MS,
      RELAY_HEARTBEAT_MS: settings.data.EDGE_RELAY_HEARTBEAT_MS,
      LOG_LEVEL: settings.data.LOG_LEVEL,
    },
    writeLine: (line) => void process.stdout.write(`${line.trimEnd()}\n`),
  }),
);
try {
  const { port } = await edge.ready;
  process.send?.({ ready: true, port: Number(port) });
  await aborted(stop);
} finally {
  await edge.dispose();
}
