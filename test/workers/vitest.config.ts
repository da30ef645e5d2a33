import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { bundleAliases } from "../../scripts/bundle-aliases.ts";
import { createLocalCa } from "../../scripts/local-ca.ts";
import { quietEnvironment } from "../../scripts/wrangler.ts";
import { relaySeeds, zone } from "./support/constants.ts";
import { testIdentity } from "./support/identities.ts";

Object.assign(process.env, quietEnvironment);
const ca = await createLocalCa(zone, Date.now());
const relays = await Promise.all(relaySeeds.map((seed) => testIdentity(seed)));

const bundled = [
  "itty-durable",
  "zod",
  "hono",
  "hono/http-exception",
  "@hono/zod-openapi",
  "@peculiar/x509",
  "http-message-sig",
  "acme-client",
  "cloudflare/tree-shakable",
  "cloudflare/resources/dns/records",
  "cloudflare/core/error",
];

// Everything under test/workers runs inside workerd, in the same isolate as the edge.
export default defineConfig({
  // The cache of what is pre-bundled does not know that these files are part of it.
  cacheDir: `../../node_modules/.vite/${digestOf("../../workers/bundle")}`,
  plugins: [
    cloudflareTest({
      main: "./support/worker.ts",
      wrangler: { configPath: "../../wrangler.toml" },
      miniflare: {
        cf: false,
        bindings: {
          ZONE: zone,
          RELAY_KEYS: relays.map(({ id }) => id).join(", "),
          CA_CERTIFICATE: ca.certificatePem,
          CA_KEY: ca.keyPem,
          DNS_RECONCILE_MS: "900000", // seldom enough to be in no other test's way
          LOG_LEVEL: "error",
        },
      },
    }),
  ],
  // What is tested is what is deployed.
  resolve: { alias: bundleAliases().map(({ name, path }) => ({ find: new RegExp(`^${name}$`), replacement: path })) },
  test: {
    name: "workers",
    include: ["**/*.test.ts"],
    testTimeout: 20_000,
    deps: {
      // itty-durable is CommonJS that requires ES modules, which only a bundler resolves. The rest is bundled with it
      // because that loads faster; zod has to be, or the OpenAPI extension finds another copy of it.
      optimizer: { ssr: { enabled: true, include: bundled, rolldownOptions: { external: builtinModules } } },
    },
  },
});

function digestOf(folder: string): string {
  const path = join(import.meta.dirname, folder);
  const hash = createHash("sha256");
  for (const file of readdirSync(path).toSorted()) hash.update(readFileSync(join(path, file)));
  return hash.digest("hex").slice(0, 16);
}
