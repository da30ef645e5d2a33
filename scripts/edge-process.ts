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
import { errorText } from "../shared/errors.ts";
import { aborted, onTermination } from "../shared/nodejs/termination.ts";

const varsSchema = z.looseObject({ ZONE: z.string().min(1) }).catchall(z.string());

const settingsSchema = z.object({
  EDGE_PORT: z.coerce.number().int().min(0).max(65_535),
  EDGE_STATE: z.string().min(1),
  EDGE_BUNDLE: z.string().min(1),
  /** The worker's variables and secrets, as JSON: `{"ZONE": "postern.localhost", …}`. */
  EDGE_VARS: z.string().transform((text) => varsSchema.parse(JSON.parse(text))),
  /** Where the development CA is kept; made there at the first start. Absent: there is none. */
  EDGE_CA_DIR: z.string().min(1).optional(),
  LOG_LEVEL: z.string().optional(),
});

try {
  await runEdge(process.env, onTermination());
} catch (error) {
  const text =
    error instanceof z.ZodError ? `its settings are not complete\n${z.prettifyError(error)}` : errorText(error);
  process.stderr.write(`The edge cannot run: ${text}\n`);
  process.exit(1);
}

async function runEdge(env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<void> {
  const settings = settingsSchema.parse(env);
  superviseWorkerd();
  const { Miniflare } = await import("miniflare"); // reads the environment when it is loaded
  const edge = new Miniflare(
    edgeWorkerOptions({
      port: settings.EDGE_PORT,
      stateDir: settings.EDGE_STATE,
      bundle: settings.EDGE_BUNDLE,
      vars: { LOG_LEVEL: settings.LOG_LEVEL, ...settings.EDGE_VARS, ...(await localCaOf(settings)) },
      writeLine: (line) => void process.stdout.write(`${line.trimEnd()}\n`),
    }),
  );
  const { port } = await edge.ready;
  process.send?.({ ready: true, port: Number(port) });
  await aborted(stop);
  await edge.dispose();
}

async function localCaOf({ EDGE_CA_DIR, EDGE_VARS }: z.infer<typeof settingsSchema>): Promise<Record<string, string>> {
  if (EDGE_CA_DIR === undefined) return {};
  const { certificatePem, keyPem } = await readOrCreateLocalCa(EDGE_CA_DIR, EDGE_VARS.ZONE);
  return { CA_CERTIFICATE: certificatePem, CA_KEY: keyPem };
}

/** Has Miniflare start workerd so that it ends with this process, however that ends. */
function superviseWorkerd(): void {
  Object.assign(process.env, quietEnvironment);
  if (process.platform === "win32") return; // no shell there
  const workerd = createRequire(import.meta.url)("workerd") as { default: string };
  process.env["POSTERN_WORKERD"] = workerd.default;
  process.env["MINIFLARE_WORKERD_PATH"] = join(import.meta.dirname, "workerd.sh");
}
