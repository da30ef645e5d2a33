import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The root of the checkout, from which every script works. */
export const projectRoot = dirname(import.meta.dirname);

/** Wrangler's own program: started directly, a signal reaches it, which one to `npm exec` or `npx` does not. */
export const wranglerProgram = join(
  dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
  "wrangler-dist",
  "cli.js",
);

/** Keeps wrangler and Miniflare on loopback: no metrics, no look-up of this machine's place, no update check. */
export const quietEnvironment = {
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
} as const;
