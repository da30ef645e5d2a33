/** Portkey's gateway from npm, with the versions of `hono` and `@hono/node-server` of its own lock file: with newer ones it answers every stream with 500. */
import { execFileSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { startListening } from "../../support/processes.ts";
import { pinned, type Cores } from "../cores.ts";

const manifest = {
  private: true,
  dependencies: { "@portkey-ai/gateway": "1.15.2" },
  overrides: { hono: "4.9.7", "@hono/node-server": "1.13.5" },
};
const installMs = 300_000;

/** Path of its program, installed once for all runs; undefined, with a line on stderr, where that cannot be done. */
export function installPortkey(): string | undefined {
  const version = manifest.dependencies["@portkey-ai/gateway"];
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const directory = join(cache, "postern-bench", `portkey-${version}`);
  const program = join(directory, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(program)) return program;
  console.error(`installing Portkey ${version} into ${directory}`);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    const npm = process.env["npm_execpath"]; // under `npm run`, with the Node that runs this
    const [command, first] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
    execFileSync(command, [...first, ...args], { cwd: directory, stdio: ["ignore", 2, 2], timeout: installMs });
    return program;
  } catch (error) {
    console.error(`Portkey is left out: npm could not install it. ${error instanceof Error ? error.message : ""}`);
    return undefined;
  }
}

export function startPortkey(program: string, port: number, cores: Cores): Promise<ChildProcess> {
  const args = [program, `--port=${port}`, "--headless"];
  return startListening(pinned(cores.proxy, process.execPath, args), port, "ignore");
}

/** What it has to be told with every call. */
export function portkeyHeaders(upstreamPort: number): Record<string, string> {
  return {
    authorization: "Bearer sk-bench",
    "x-portkey-provider": "openai",
    "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
  };
}
