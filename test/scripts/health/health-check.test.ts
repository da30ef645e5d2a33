import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeStatus } from "../../../tee-bot/control/status.ts";
import { nodeStatus } from "../../tee-bot/support/node-status.ts";
import { startAccountServer } from "../../support/account-server.ts";
import { root } from "../../support/postern.ts";
import { runProgram } from "../../support/visit.ts";

describe("scripts/health-check.ts", () => {
  let state: string;
  let node: Server;
  let models: string[];
  let health: NodeStatus["health"]["status"];
  let oldestAt: number | undefined;
  const asked: string[] = [];

  beforeEach(async () => {
    state = mkdtempSync(join(tmpdir(), "postern-health-"));
    [models, health, oldestAt] = [["postern-demo"], "healthy", undefined];
    asked.length = 0;
    node = createServer(({ method, url = "" }, response) => {
      asked.push(`${method} ${url}`);
      const known: Record<string, unknown> = {
        "/v1/status": status(),
        "/v1/models": { object: "list", data: models.map((id) => ({ id })) },
        "/v1/signal": { state: bot() },
      };
      response.setHeader("content-type", "application/json").end(JSON.stringify(known[url]));
    });
    await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
    const control = { url: address(), token: "t", pid: 1 };
    writeFileSync(join(state, "control.json"), JSON.stringify(control), { mode: 0o600 });
  });
  afterEach(async () => {
    node.closeAllConnections();
    await new Promise((resolve) => node.close(resolve));
    rmSync(state, { recursive: true, force: true });
  });

  const address = (): string => `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
  const check = (api: string | undefined, ...args: string[]) =>
    runProgram(process.execPath, [join(root, "scripts/health-check.ts"), "--state", state, ...args], {
      env: { ...process.env, POSTERN_SIGNAL_API: api ?? "" },
    });

  it("is well where all parts are, with a line for each, and asks nothing that costs", async () => {
    await using rest = await startAccountServer();
    const { code, stdout } = await check(rest.url);
    expect(stdout.split("\n").map((line) => line.slice(0, 13).trim())).toEqual([
      "ok   node",
      "ok   gateway",
      "ok   model",
      "ok   signal",
      "ok   mailbox",
      "",
    ]);
    expect(code).toBe(0);
    expect(asked).toEqual(["GET /v1/status", "GET /v1/models", "GET /v1/signal"]);
  });

  it("says nothing of a bot that nobody has set up", async () => {
    const { code, stdout } = await check(undefined);
    expect(code).toBe(0);
    expect(stdout).not.toContain("signal");
  });

  it("wants somebody to look at a node that starts, and at mail that waits", async () => {
    await using rest = await startAccountServer();
    health = "degraded";
    expect((await check(undefined)).code).toBe(1);
    health = "healthy";
    oldestAt = Date.now() - 20 * 60_000;
    const { code, stdout } = await check(rest.url);
    expect(code).toBe(1);
    expect(stdout).toMatch(/look signal +Mail has waited for 20 minutes\./);
  });

  it("fails without a model, without the REST server, and without the node", async () => {
    models = [];
    expect(await check(undefined)).toMatchObject({ code: 2, stdout: expect.stringContaining("FAIL model") as string });
    models = ["postern-demo"];
    expect(await check("http://127.0.0.1:1")).toMatchObject({ code: 2 });
    rmSync(join(state, "control.json"));
    const { code, stdout } = await check(undefined, "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ code: 2, parts: [{ part: "node", state: "down" }] });
  });

  it("fails with words for settings that cannot be used", async () => {
    const { code, stderr } = await check("not a url");
    expect(code).toBe(2);
    expect(stderr).toContain("POSTERN_SIGNAL_API");
  });

  function status() {
    return nodeStatus({
      url: "https://demo.postern.localhost",
      gateway: address(),
      health: { status: health, hostnames: [], steps: [] },
    });
  }

  function bot() {
    return {
      answered: 0,
      inHand: 0,
      isStoreAway: false,
      mailbox: { waiting: oldestAt === undefined ? 0 : 1, inHand: 0, replies: 0, undecidable: 0, dead: 0, oldestAt },
      sending: { counts: {}, troubles: [] },
      reactions: { up: 0, down: 0 },
    };
  }
});
