import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAlive, processTree, root, startPostern, stopProcess, until, type Postern } from "../support/postern.ts";
import { answers, runProgram, visit } from "../support/visit.ts";

const launcher = join(root, "scripts/start.ts");

describe("the launcher", () => {
  let state: string;
  let postern: Postern;

  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), "postern-start-"));
    postern = await startPostern({ state });
  });

  afterAll(async () => {
    await postern[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  it("prints exactly one line on stdout, with everything a script needs", async () => {
    const { run } = postern;
    expect(postern.stdout().trimEnd().split("\n")).toHaveLength(1);
    expect(Object.keys(run)).toEqual(["ready", "zone", "edge", "relay", "node", "gateway", "ca", "state", "pids"]);
    expect(run).toMatchObject({
      ready: true,
      zone: "postern.localhost",
      edge: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      gateway: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      state,
      node: {
        id: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        url: `https://demo.postern.localhost:${run.relay.port}`,
        hostnames: ["demo.postern.localhost", expect.stringMatching(/^[a-z2-7]{52}\.postern\.localhost$/) as string],
        key: expect.stringMatching(/^postern_[0-9A-Za-z]{49}$/) as string,
      },
    });
    for (const pid of Object.values(run.pids)) expect(isAlive(pid)).toBe(true);
    await until(() => postern.stderr().includes("ready after"), 2_000, "the summary is printed");
  });

  it("prints a line to paste that the gateway answers at the public name", async () => {
    await until(() => postern.stderr().includes("  try "), 2_000, "the summary is printed");
    const [, line = ""] = /^ {2}try +(curl .*)$/m.exec(postern.stderr()) ?? [];
    expect(line).toContain(postern.run.node.key);
    const { code, stdout } = await runProgram("sh", ["-c", line.replace("curl ", "curl --silent --fail ")]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ object: expect.stringMatching(/^(list|chat\.completion)$/) as string });
  });

  it("refuses a second start on the same state and says which process has it", async () => {
    const second = await runProgram(process.execPath, [launcher, "--state", state]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`process ${postern.launcher.pid}`);
    expect(second.stderr).toContain("--state");
    expect(await answers(postern)).toBe(true);
  });

  it("ends everything within 5 s of SIGTERM, and comes up again as the same node", async () => {
    const tree = processTree(postern.launcher.pid ?? 0);
    expect(tree.length).toBeGreaterThanOrEqual(5); // launcher, edge, workerd, relay, node
    expect(await postern.stop()).toBeLessThan(5_000);
    await until(() => !tree.some(isAlive), 500, "no process is left");
    expect(postern.stderr()).not.toContain("the node is"); // nothing is wrong with one that is stopped

    const before = postern.run.node;
    postern = await startPostern({ state });
    expect(postern.run.node.id).toBe(before.id);
    expect(postern.run.node.hostnames).toEqual(before.hostnames);
    expect(postern.run.node.key).toBe(before.key);
    expect((await visit(postern, "/healthz")).status).toBe(200);
  });

  it("leaves no process behind when it is killed", async () => {
    const tree = processTree(postern.launcher.pid ?? 0);
    await stopProcess(postern.launcher, "SIGKILL");
    await until(() => !tree.some(isAlive), 6_000, "no process is left");
    postern = await startPostern({ state });
  });

  it("says so and takes another port where a usual one is taken", async () => {
    // The stack that runs has the usual port of the gateway or found it taken; either way a second stack must move.
    await using second = await startPostern();
    expect(second.stderr()).toMatch(/port 31145 is taken; the gateway port is \d+ this time/);
    expect(second.run.gateway).not.toBe(postern.run.gateway);
    expect((await fetch(`${second.run.gateway}/v1/models`)).status).toBe(200);
  });
});

describe("the launcher's command line", () => {
  it.each([
    [["--port", "0"], "--port takes a port from 1 to 65535"],
    [["--edge-port", "http"], "--edge-port takes a port from 1 to 65535"],
    [["--no-such-flag"], "--no-such-flag"],
    [["surplus"], "surplus"],
  ])("refuses %j with exit code 2 and the usage", async (args, reason) => {
    const { code, stderr, stdout } = await runProgram(process.execPath, [launcher, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
    expect(stderr).toContain("--state DIR");
    expect(stdout).toBe("");
  });

  it("refuses a port that was asked for and is taken", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const { port } = blocker.address() as { port: number };
    const { code, stderr } = await runProgram(process.execPath, [
      launcher,
      "--port",
      String(port),
      "--state",
      tmpState(),
    ]);
    blocker.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port} for the visitors is taken`);
  });

  it("refuses a target that cannot be exposed, with examples", async () => {
    const { code, stderr } = await runProgram(process.execPath, [
      launcher,
      "--expose",
      "ftp://x",
      "--state",
      tmpState(),
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("ftp is not a scheme");
    expect(stderr).toContain("http://127.0.0.1:3000");
  });

  it("stops a start that is still under way on SIGINT", async () => {
    const child = spawn(process.execPath, [launcher, "--json", "--state", tmpState()], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    await new Promise((resolve) => child.stderr.once("data", resolve));
    const tree = processTree(child.pid ?? 0);
    expect(await stopProcess(child, "SIGINT")).toBeLessThan(5_000);
    await until(() => !tree.some(isAlive), 1_000, "no process is left");
  });

  const states: string[] = [];
  function tmpState(): string {
    const state = mkdtempSync(join(tmpdir(), "postern-cli-"));
    states.push(state);
    return state;
  }
  afterAll(() => {
    for (const state of states) rmSync(state, { recursive: true, force: true });
  });
});
