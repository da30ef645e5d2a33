import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
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
];

// Everything under test/workers runs inside workerd, in the same isolate as the edge.
export default defineConfig({
  cacheDir: "../../node_modules/.vite",
  plugins: [
    cloudflareTest({
      main: "./support/worker.ts",
      wrangler: { configPath: "../../wrangler.toml" },
      miniflare: {
        cf: false,
        bindings: {
          ZONE: zone,
          RELAY_KEYS: relays.map(({ id }) => id).join(", "),
          LOCAL_CA_CERTIFICATE: ca.certificatePem,
          LOCAL_CA_KEY: ca.keyPem,
          LOG_LEVEL: "error",
        },
      },
    }),
  ],
  test: {
    name: "workers",
    include: ["**/*.test.ts"],
    testTimeout: 20_000,
    deps: {
      // itty-durable is CommonJS that requires ES modules, which only a bundler resolves. The rest is bundled with it
      // because that loads faster; zod has to be, or the OpenAPI extension finds another copy of it.
      optimizer: { ssr: { enabled: true, include: bundled } },
    },
  },
});
