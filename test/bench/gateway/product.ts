/** Postern's gateway as somebody runs it: a node's process with its defaults, that asks for a key and has two providers. */
import { execFileSync, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, root } from "../../support/postern.ts";
import { startListening, stop } from "../support/processes.ts";
import { pinned, type Cores } from "./cores.ts";

export interface Product {
  readonly process: ChildProcess;
  readonly key: string;
}

/** Nobody listens there: the node's local gateway serves while its public name has to wait. */
const noEdge = "http://127.0.0.1:9";
const cli = join(root, "tee-bot/cli/main.ts");
const commandMs = 20_000;

export async function startProduct(
  port: number,
  upstreamPorts: readonly number[],
  directory: string,
  cores: Cores,
): Promise<Product> {
  const state = join(directory, `node-${port}`);
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "postern.yaml"), settings(upstreamPorts));
  const log = openSync(join(state, "log"), "a");
  const ports = ["--gateway-port", String(port), "--control-port", String(await freePort())];
  const args = [cli, "start", "--edge", noEdge, "--state", state, ...ports];
  const child = await startListening(pinned(cores.proxy, process.execPath, args), port, ["ignore", log, log]);
  try {
    return { process: child, key: createKey(state) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function createKey(state: string): string {
  const args = [cli, "keys", "create", "--name", "bench", "--state", state, "--json"];
  const answer = execFileSync(process.execPath, args, { encoding: "utf8", timeout: commandMs });
  return (JSON.parse(answer) as { text: string }).text;
}

function settings(upstreamPorts: readonly number[]): string {
  const providers = upstreamPorts.map((port, at) => {
    return `    - { kind: openai, id: provider-${at}, url: "http://127.0.0.1:${port}/v1", trust: local }\n`;
  });
  return `version: 1
gateway:
  strategy: load-balance
  keys:
    loopback: required
  discovery:
    ollama: off
    lmStudio: off
  embedded:
    demo: false
  providers:
${providers.join("")}`;
}
