import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRunFile, removeRunFile, writeRunFile, type RunFile } from "../../../scripts/launcher/run-file.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { stopProcess } from "../../support/postern.ts";

const run = (launcher: number): RunFile => ({
  ready: true,
  zone: "postern.localhost",
  edge: "http://127.0.0.1:8787",
  relay: { host: "127.0.0.1", port: 8443 },
  node: { id: "", url: "", hostnames: [], key: "" },
  gateway: "",
  ca: "",
  state: "",
  pids: { edge: 1, relay: 2, node: 3 },
  launcher,
});

test("the run file tells of a launcher that lives, for its owner only, until it is removed", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.json");
  const script = join(folder.path, "start.ts");
  writeFileSync(script, "process.stdout.write('up'); setInterval(() => {}, 1000);");
  const launcher = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "ignore"] });
  await once(launcher.stdout, "data");
  const written = run(launcher.pid ?? 0);
  writeRunFile(path, written);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readRunFile(path)).toEqual(written);
  await stopProcess(launcher, "SIGKILL");
  expect(readRunFile(path)).toBeUndefined();
  removeRunFile(path);
  removeRunFile(path);
  expect(existsSync(path)).toBe(false);
});

test("a process id that another program, or this one, has got since is no launcher", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.json");
  const stranger = spawn("sleep", ["20"], { stdio: "ignore" });
  await once(stranger, "spawn");
  for (const pid of [process.pid, stranger.pid ?? 0]) {
    writeRunFile(path, run(pid));
    expect(readRunFile(path)).toBeUndefined();
  }
  await stopProcess(stranger, "SIGKILL");
});

test("a run file that is damaged or not there tells of nothing", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "run.json");
  expect(readRunFile(path)).toBeUndefined();
  for (const content of ["", "{", "{}", "null"]) {
    writeFileSync(path, content);
    expect(readRunFile(path)).toBeUndefined();
  }
});
