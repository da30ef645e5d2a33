/** `npm run dev:edge`: wrangler's development server with a development CA, on loopback only. */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createLocalCa } from "./local-ca.ts";
import { projectRoot, quietEnvironment, wranglerProgram } from "./wrangler.ts";
import { writeFileAtomic } from "../shared/nodejs/files.ts";

const zone = "postern.localhost"; // as in wrangler.toml
const secretsFile = join(projectRoot, ".dev.vars");

if (!statSync(secretsFile, { throwIfNoEntry: false })) {
  const { certificatePem, keyPem } = await createLocalCa(zone, Date.now());
  const text = `CA_CERTIFICATE="${certificatePem}"\nCA_KEY="${keyPem}"\n`;
  writeFileAtomic(secretsFile, text, 0o600);
}

// Further arguments are wrangler's: npm run dev:edge -- --port 8788
const args = ["dev", "--inspector-port", "0", "--show-interactive-dev-session=false", ...process.argv.slice(2)];
const wrangler = spawn(process.execPath, [wranglerProgram, ...args], {
  cwd: projectRoot,
  env: { ...process.env, ...quietEnvironment },
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => wrangler.kill(signal));
wrangler.once("close", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 0);
});
