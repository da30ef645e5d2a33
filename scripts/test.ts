/** `npm test`: installs what the tests talk to, then runs them. Arguments go to vitest: `npm test -- test/relay`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensurePrograms } from "./system-packages.ts";
import { projectRoot } from "./wrangler.ts";

ensurePrograms([
  { program: "curl", debianPackage: "curl" },
  { program: "openssl", debianPackage: "openssl" },
  { program: "pebble", debianPackage: "pebble" }, // the ACME server that certificates are ordered from
  { program: "redis-server", debianPackage: "redis-server" }, // what the bot may keep conversations in
  { program: "chromium", debianPackage: "chromium", optional: true }, // what shows the simulator's page
  { program: "ip", debianPackage: "iproute2", optional: true }, // networks that tests damage
  { program: "nft", debianPackage: "nftables", optional: true },
]);

const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: projectRoot,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
