import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { freePort, root, stopProcess, until } from "../support/postern.ts";
import { postern } from "./run.ts";

const waitMs = 15_000;

it("a running node follows postern.yaml, keeps its settings while the file is bad, and says so", async () => {
  using folder = temporaryFolder();
  const state = folder.path;
  const path = join(state, "postern.yaml");
  const write = (gateway: string): void => writeFileSync(path, `version: 1\ngateway: {${gateway}}\n`);
  write("limits: {bodyMiB: 1}");
  const edge = `http://127.0.0.1:${await freePort()}`; // nobody is there, which the gateway does not mind
  const args = ["start", "--edge", edge, "--state", state, "--gateway-port", "0", "--control-port", "0"];
  const node = spawn(process.execPath, [join(root, "tee-bot/cli/main.ts"), ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await using _ = { [Symbol.asyncDispose]: async () => void (await stopProcess(node, "SIGTERM")) };
  let log = "";
  node.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  await until(() => existsSync(join(state, "control.json")), waitMs, `the node runs: ${log}`);
  const status = async (): Promise<NodeStatus> =>
    JSON.parse((await postern("status", "--json", "--state", state)).stdout);
  const { gateway } = await status();
  const call = async (): Promise<number> => {
    const body = JSON.stringify({ model: "nobody-has-it", messages: [{ role: "user", content: "x".repeat(50_000) }] });
    const headers = { "content-type": "application/json" };
    return (await fetch(`${gateway}/v1/chat/completions`, { method: "POST", headers, body })).status;
  };

  expect(await call()).toBe(404);
  write("limits: {bodyMiB: 0.01}");
  await until(async () => (await call()) === 413, waitMs, `the smaller limit is in force: ${log}`);
  expect(log).toContain('"event":"config.followed"');

  write("limits: {bodyMiB: lots}");
  await until(() => log.includes('"event":"config.refused"'), waitMs, `the bad file is told: ${log}`);
  expect(await call()).toBe(413);
  expect((await status()).troubles).toContainEqual({
    detail:
      "The settings before are in force: postern.yaml:2:29 gateway.limits.bodyMiB: text cannot stand here · give a number",
    remedy: "postern config check lists every mistake.",
  });

  write("limits: {bodyMiB: 2}");
  await until(async () => (await call()) === 404, waitMs, `the good file is followed: ${log}`);
  expect((await status()).troubles).toEqual([]);
  expect(readFileSync(path, "utf8")).toBe("version: 1\ngateway: {limits: {bodyMiB: 2}}\n");
});
