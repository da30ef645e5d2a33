import { spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAlive, processTree, root, startPostern, stopProcess, until, type Postern } from "../support/postern.ts";
import { startService, type Service } from "../support/service.ts";
import { answers, open, visit } from "../support/visit.ts";

/** It takes 1 to 2 s on a quiet machine, most of which is Node reading the node; this tells a wait from a lost name. */
const takeoverMs = 5_000;

describe("kill -9", () => {
  let postern: Postern;
  let service: Service;
  beforeAll(async () => {
    service = await startService();
    postern = await startPostern({ args: ["--expose", service.url] });
  });
  afterAll(async () => {
    await postern[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  type Name = "edge" | "relay" | "node";
  async function kill(name: Name): Promise<void> {
    const before = postern.pids()[name];
    process.kill(before, "SIGKILL");
    await until(() => !isAlive(before), 1_000, "the process is gone");
    await until(() => postern.pids()[name] !== before, takeoverMs, "the launcher starts it again");
  }

  it.each(["node", "relay"] as const)(
    "of the %s in mid-transfer ends the transfer as a failure, and the name answers again",
    async (name) => {
      const response = await open(postern, "/endless");
      const ended = endOf(response);
      await kill(name);
      expect(await ended).not.toBe("complete");
      expect(await until(() => answers(postern), 10_000, "the name answers")).toBeLessThan(takeoverMs);
      expect((await visit(postern, "/headers")).status).toBe(200);
    },
  );

  it("of the edge in mid-transfer does not touch the transfer, nor new visitors", async () => {
    const response = await open(postern, "/bytes?mib=64");
    const ended = endOf(response);
    await kill("edge");
    expect((await visit(postern, "/headers")).status).toBe(200);
    expect(await ended).toBe("complete");
    // The edge has its state again: an unknown name is still unknown, and the node keeps its own.
    await until(
      async () => (await fetch(`${postern.run.edge}/healthz`).catch(() => undefined))?.ok ?? false,
      10_000,
      "the edge is back",
    );
    expect((await visit(postern, "/headers")).status).toBe(200);
  });

  it.each(["node", "relay", "edge"] as const)("of the idle %s is over within moments", async (name) => {
    await kill(name);
    expect(await until(() => answers(postern), 10_000, "the name answers")).toBeLessThan(takeoverMs);
  });

  it("of every process at once is over within moments", async () => {
    const before = postern.pids();
    for (const pid of Object.values(before)) process.kill(pid, "SIGKILL");
    await until(() => Object.values(before).every((pid) => !isAlive(pid)), 1_000, "all are gone");
    await until(() => answers(postern), 15_000, "the name answers");
  });

  it("of the node while the edge is down: the name comes back without the edge", async () => {
    // The launcher would start the edge again at once; stopping it keeps it down, as an outage does.
    const edge = processTree(postern.pids().edge);
    for (const pid of edge) process.kill(pid, "SIGSTOP");
    try {
      await kill("node");
      const ms = await until(() => answers(postern), 20_000, "the name answers under the epoch of before");
      expect(ms).toBeLessThan(5_000);
    } finally {
      for (const pid of edge) process.kill(pid, "SIGCONT");
    }
    await until(async () => (await visit(postern, "/")).status === 200, 10_000, "all is well again");
  });
});

describe("a second process with the node's key", () => {
  let postern: Postern;
  let state: string;
  let second: ChildProcess | undefined;
  beforeAll(async () => {
    postern = await startPostern();
    state = mkdtempSync(join(tmpdir(), "postern-second-"));
  });
  afterAll(async () => {
    if (second) await stopProcess(second, "SIGTERM");
    await postern[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  function startNode(directory: string, alias: string): ChildProcess & { text: () => string } {
    const args = ["start", "--edge", postern.run.edge, "--state", directory, "--alias", alias];
    const child = spawn(
      process.execPath,
      [join(root, "tee-bot/cli/main.ts"), ...args, "--gateway-port", "0", "--control-port", "0"],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    return Object.assign(child, { text: () => text });
  }

  it("another key never gets the name", async () => {
    const other = startNode(join(state, "other"), "demo");
    await until(() => other.text().includes("name-taken"), 10_000, "the claim is refused");
    expect((await visit(postern, "/healthz")).status).toBe(200);
    const { status } = JSON.parse((await visit(postern, "/healthz")).body) as { status: string };
    expect(status).toBe("healthy");
    await stopProcess(other, "SIGTERM");
  });

  it("takes the name at once, and the first is told why and stops", async () => {
    const first = postern.pids().node;
    mkdirSync(join(state, "twin"), { mode: 0o700 });
    copyFileSync(join(postern.run.state, "node", "identity.pem"), join(state, "twin", "identity.pem"));
    const twin = startNode(join(state, "twin"), "demo");
    second = twin;
    await until(() => twin.text().includes("name.answered"), 10_000, "the second node has the name");
    await until(() => !isAlive(first), 10_000, "the first node has stopped");
    expect(postern.stderr()).toContain("the node ended (exit code 3) and is left so");
    expect((await visit(postern, "/healthz")).status).toBe(200);
  });
});

function endOf(response: IncomingMessage): Promise<"complete" | "broken"> {
  return new Promise((resolve) => {
    response.resume();
    response.once("end", () => resolve("complete"));
    response.once("error", () => resolve("broken"));
  });
}
