import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startAccountServer } from "../support/account-server.ts";
import { postern } from "./run.ts";

const number = "+15550000001";

describe("postern signal status", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "postern-status-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const status = (...args: string[]) => postern("signal", "status", "--state", state, ...args);

  it("tells what is missing while the node does not run, with what to do", async () => {
    await using server = await startAccountServer();
    const { code, stdout } = await status("--api", server.url);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^The bot does not work\.\n/);
    expect(stdout).toContain("signal-cli-rest-api 0.100, MODE=json-rpc");
    expect(stdout).toMatch(/no account\.\n +→ postern signal link/);
    expect(stdout).toMatch(/no control file[\s\S]*postern start/);
  });

  it("tells how the running bot is, and leaves signal-cli to it", async () => {
    await using server = await startAccountServer();
    server.numbers = [number];
    await using node = await startControl({ undecidable: 1, challenge: "the-token" });
    writeFileSync(join(state, "control.json"), JSON.stringify({ url: node.url, token: "t", pid: 1 }), { mode: 0o600 });
    const { code, stdout } = await status("--api", server.url, "--letters");
    expect(code).toBe(1);
    expect(stdout).toContain("The bot needs attention.");
    expect(stdout).toContain(number);
    expect(stdout).toMatch(/challenge +the-token/);
    expect(stdout).toContain("reply 7  2026-01-01 00:00 UTC  undecidable: timeout");
    expect(server.calls.map(({ path }) => path)).not.toContain("/v1/accounts");
    const { stdout: json } = await status("--api", server.url, "--json");
    expect(JSON.parse(json)).toMatchObject({ verdict: "attention", bot: { answered: 3 }, rest: { mode: "json-rpc" } });
  });

  it("prints the webhook's address with a password that stays the same, for the REST server alone", async () => {
    const { stdout } = await status("--api", "http://127.0.0.1:1", "--hook");
    expect(stdout).toMatch(/^RECEIVE_WEBHOOK_URL=http:\/\/postern:[\w-]{43}@127\.0\.0\.1:8146\/hooks\/signal\n$/);
    expect((await status("--api", "http://127.0.0.1:1", "--hook")).stdout).toBe(stdout);
    const [, password = ""] = /postern:([\w-]+)@/.exec(stdout) ?? [];
    expect((await status("--api", "http://127.0.0.1:1")).stdout).not.toContain(password);
  });

  it("shows no password of the REST server's address", async () => {
    const { stdout } = await status("--api", "http://user:hunter2@127.0.0.1:1");
    expect(stdout).toContain("http://user:***@127.0.0.1:1");
    expect(stdout).not.toContain("hunter2");
  });
});

/** Answers as the control API does, of a bot that is not well. */
async function startControl({ undecidable, challenge }: { undecidable: number; challenge: string }) {
  const state = {
    account: number,
    answered: 3,
    inHand: 0,
    isStoreAway: false,
    mailbox: { waiting: 0, inHand: 0, replies: 0, undecidable, dead: 0 },
    sending: { counts: {}, troubles: [] },
    reactions: { up: 0, down: 0 },
  };
  const letters = [{ id: 7, what: "reply", why: "undecidable", at: Date.UTC(2026, 0, 1), reason: "timeout" }];
  const server = createServer(({ url }, response) =>
    response
      .setHeader("content-type", "application/json")
      .end(JSON.stringify(url === "/v1/signal" ? { state, challenge } : { letters })),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
