import type { IncomingHttpHeaders } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../../../tee-bot/gateway/access/access.ts";
import type { KeyWish } from "../../../../tee-bot/gateway/access/api-key.ts";
import { ApiError } from "../../../../tee-bot/gateway/api/api-error.ts";
import type { Call, Surface } from "../../../../tee-bot/gateway/api/call.ts";
import { until } from "../../../support/postern.ts";
import { callOf, openTestLedger, settingsOf, type TestLedger, type TestLedgerOptions } from "../../support/ledger.ts";
import { recordingLog } from "../../support/log.ts";

let stack = new DisposableStack();
afterEach(() => {
  stack.dispose();
  stack = new DisposableStack();
});
const open = (options: TestLedgerOptions = {}): TestLedger => stack.use(openTestLedger(options));
const stays = new AbortController();
const tokens = (prompt: number, completion: number) => ({ prompt, completion, estimated: false });

/** What is refused, as the client is told. */
async function refusal(attempt: () => unknown): Promise<ApiError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

function enter({ access }: TestLedger, headers: IncomingHttpHeaders, surface: Surface = "public"): Caller {
  return access.authenticate(headers, surface, "203.0.113.9");
}

function keyed(ledger: TestLedger, wish: Partial<KeyWish> = {}): Caller & { text: string } {
  const { text } = ledger.keys.create({ name: "alice", ...wish });
  return { ...enter(ledger, { authorization: `Bearer ${text}` }), text };
}

const admit = ({ access }: TestLedger, caller: Caller, changes: Partial<Call> = {}, client = stays) =>
  access.admit(caller, callOf(changes), client);

describe("the gate", () => {
  it("asks for a key at the public name and not on this machine, unless told otherwise", async () => {
    const usual = open();
    expect(await refusal(() => enter(usual, {}))).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(enter(usual, {}, "local")).toEqual({ keyId: undefined, models: undefined });
    const turned = open({ settings: { keys: { public: "off", loopback: "required" } } });
    expect(enter(turned, {})).toEqual({ keyId: undefined, models: undefined });
    expect((await refusal(() => enter(turned, {}, "local"))).status).toBe(401);
    turned.follow(settingsOf({}));
    expect((await refusal(() => enter(turned, {}))).status).toBe(401);
  });

  it("lets the node's own parts in by a key that is good on this machine only", async () => {
    const ledger = open({ ownKey: "made-at-this-start", settings: { keys: { loopback: "required" } } });
    const shown = (key: string) => ({ authorization: `Bearer ${key}` });
    expect(enter(ledger, shown("made-at-this-start"), "local")).toEqual({ keyId: undefined, models: undefined });
    expect((await refusal(() => enter(ledger, shown("made-at-last-start"), "local"))).status).toBe(401);
    expect((await refusal(() => enter(ledger, shown("made-at-this-start"), "public"))).status).toBe(401);
    const without = open({ settings: { keys: { loopback: "required" } } });
    expect((await refusal(() => enter(without, shown(""), "local"))).status).toBe(401);
  });

  it("knows a key by either header, in any spelling of Bearer", () => {
    const ledger = open();
    const { text, keyId } = keyed(ledger);
    for (const headers of [
      { authorization: `Bearer ${text}` },
      { authorization: `bearer   ${text} ` },
      { "x-api-key": text },
      { "x-api-key": text, authorization: "Basic YTpi" },
    ])
      expect(enter(ledger, headers).keyId).toBe(keyId);
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    "Bearer sk-other",
    "Basic YTpi",
    `Bearer ${"x".repeat(20_000)}`,
    "Bearer postern_x",
  ])("lets nobody in at the public name with the authorization «%.40s»", async (authorization) => {
    const error = await refusal(() => enter(open(), { authorization }));
    expect(error).toMatchObject({ status: 401, code: "invalid_api_key" });
  });

  it("takes the text that clients must send where no key is asked for, but not a wrong key of ours", async () => {
    const ledger = open();
    expect(enter(ledger, { authorization: "Bearer ollama" }, "local").keyId).toBeUndefined();
    const { text, keyId } = keyed(ledger);
    expect(enter(ledger, { authorization: `Bearer ${text}` }, "local").keyId).toBe(keyId);
    const last = text.at(-1) === "a" ? "b" : "a";
    const mistyped = `Bearer ${text.slice(0, -1)}${last}`;
    const error = await refusal(() => enter(ledger, { authorization: mistyped }, "local"));
    expect(error).toMatchObject({ status: 401 });
    expect(error.message).toContain("not whole");
  });

  it("says what became of a key that was good once", async () => {
    const ledger = open();
    const { text } = keyed(ledger, { name: "old", expiresAt: ledger.clock.now() + 1_000 });
    const authorization = `Bearer ${text}`;
    ledger.clock.advance(999);
    enter(ledger, { authorization });
    ledger.clock.advance(1);
    expect((await refusal(() => enter(ledger, { authorization }))).message).toContain("has expired");
    const other = keyed(ledger);
    ledger.keys.revoke("alice");
    const error = await refusal(() => enter(ledger, { authorization: `Bearer ${other.text}` }));
    expect(error.message).toContain("was revoked");
  });

  it("tells an address that goes on with wrong keys to stop, lets good keys through from there, and keeps the log short", async () => {
    const log = recordingLog();
    const ledger = open({ log });
    const { text, keyId } = keyed(ledger);
    const guess = (client: string) =>
      refusal(() => ledger.access.authenticate({ "x-api-key": "guess" }, "public", client));
    for (let count = 0; count < 20; count++) expect((await guess("203.0.113.9")).status).toBe(401);
    const stopped = await guess("203.0.113.9");
    expect(stopped).toMatchObject({ status: 429, code: "rate_limit_exceeded", retryAfterMs: 3_000 });
    expect((await guess("203.0.113.10")).status).toBe(401);
    expect(enter(ledger, { "x-api-key": text }).keyId).toBe(keyId);
    ledger.clock.advance(3_000);
    expect((await guess("203.0.113.9")).status).toBe(401);
    const refused = log.events.filter(({ event }) => event === "key.refused");
    expect(refused).toHaveLength(22);
    expect(JSON.stringify(log.events)).not.toContain("guess");
    expect(JSON.stringify(log.events)).not.toContain(text);
  });

  it("keeps a key to its models", async () => {
    const ledger = open();
    const caller = keyed(ledger, { models: ["llama*", "near/*"] });
    expect((await admit(ledger, caller, { model: "llama3" })).queuedMs).toBe(0);
    const error = await refusal(() => admit(ledger, caller, { model: "gpt-5" }));
    expect(error).toMatchObject({ status: 403, code: "model_not_allowed", param: "model" });
    expect(ledger.access.load.running).toBe(1);
  });

  it("limits requests a minute, and says what is left and when to come back", async () => {
    const ledger = open();
    const caller = keyed(ledger, { requestsPerMinute: 2 });
    const first = await admit(ledger, caller);
    expect(first.headers).toEqual([
      "x-ratelimit-limit-requests",
      "2",
      "x-ratelimit-remaining-requests",
      "1",
      "x-ratelimit-reset-requests",
      "30s",
    ]);
    await admit(ledger, caller);
    const error = await refusal(() => admit(ledger, caller));
    expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", retryAfterMs: 30_000 });
    expect(error.headers).toContain("x-ratelimit-remaining-requests");
    ledger.clock.advance(30_000);
    await admit(ledger, caller);
    expect(ledger.access.load.running).toBe(3);
  });

  it("takes the estimate of a prompt at once, and at the end what was used instead", async () => {
    const ledger = open();
    const caller = keyed(ledger, { tokensPerMinute: 600 });
    const left = async (estimatedPromptTokens: number): Promise<string | undefined> => {
      const admission = await admit(ledger, caller, { estimatedPromptTokens });
      admission.release(tokens(estimatedPromptTokens, 0));
      return admission.headers[3];
    };
    const first = await admit(ledger, caller, { estimatedPromptTokens: 400 });
    expect(first.headers.slice(2, 4)).toEqual(["x-ratelimit-remaining-tokens", "200"]);
    const error = await refusal(() => admit(ledger, caller, { estimatedPromptTokens: 300 }));
    expect(error).toMatchObject({ code: "rate_limit_exceeded", retryAfterMs: 10_000 });
    first.release(tokens(100, 50));
    expect(await left(0)).toBe("450");
    const second = await admit(ledger, caller, { estimatedPromptTokens: 100 });
    second.release(undefined); // nothing came to a provider
    expect(await left(0)).toBe("450");
    const third = await admit(ledger, caller, { estimatedPromptTokens: 50 });
    third.release(tokens(50, 1_000));
    const debt = await refusal(() => admit(ledger, caller, { estimatedPromptTokens: 0 }));
    expect(debt.retryAfterMs).toBe(60_000);
  });

  it("counts tokens against the month's budget on every endpoint, with those of calls under way, and over a restart", async () => {
    let ledger = open();
    const { text } = keyed(ledger, { tokensPerMonth: 1_000 });
    const again = (): Caller => enter(ledger, { authorization: `Bearer ${text}` });
    const first = await admit(ledger, again(), { estimatedPromptTokens: 990 });
    const second = await admit(ledger, again(), { estimatedPromptTokens: 20 });
    const reserved = await refusal(() => admit(ledger, again()));
    expect(reserved).toMatchObject({ status: 429, code: "insufficient_quota", headers: [] });
    first.release(tokens(500, 300));
    second.release({ prompt: 20, completion: 100, estimated: true });

    ledger = stack.use(ledger.reopen());
    (await admit(ledger, again())).release(tokens(50, 29));
    (await admit(ledger, again())).release(tokens(1, 0));
    const spent = await refusal(() => admit(ledger, again()));
    expect(spent).toMatchObject({ code: "insufficient_quota", headers: ["x-should-retry", "false"] });
    expect(ledger.clock.now() + (spent.retryAfterMs ?? 0)).toBe(Date.UTC(2026, 11, 1));
    ledger.clock.advance(spent.retryAfterMs ?? 0);
    await admit(ledger, again());
  });

  it("has the month's tokens on disk soon, for when the node is killed", async () => {
    const ledger = open();
    const { text } = keyed(ledger, { tokensPerMonth: 100 });
    const caller = enter(ledger, { authorization: `Bearer ${text}` });
    const admission = await admit(ledger, caller);
    await new Promise((resolve) => setTimeout(resolve, 700)); // so that nothing else makes it write
    admission.release(tokens(90, 10));
    await until(
      () => {
        using other = openTestLedger({ path: ledger.path, clock: ledger.clock });
        return other.usage.of(caller.keyId ?? "", ledger.clock.now()) === 100;
      },
      3_000,
      "another process sees it",
    );
  });

  it("lets a call wait for its turn, and says how long it did", async () => {
    const ledger = open({ settings: { limits: { concurrent: 1 } } });
    const caller = keyed(ledger, { tokensPerMinute: 100 });
    const first = await admit(ledger, caller);
    const waiting = admit(ledger, caller);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ledger.access.load).toEqual({ running: 1, waiting: 1 });
    first.release(undefined);
    expect((await waiting).queuedMs).toBeGreaterThanOrEqual(15);
  });

  it("ends each turn once", async () => {
    const ledger = open();
    const admission = await admit(ledger, enter(ledger, {}, "local"));
    admission.release(undefined);
    expect(() => admission.release(undefined)).toThrow("over already");
    expect(ledger.access.load.running).toBe(0);
  });

  it("goes round keys, and addresses of those without", async () => {
    const ledger = open({ settings: { limits: { concurrent: 1 } } });
    const anybody = enter(ledger, {}, "local");
    const alice = keyed(ledger);
    const order: string[] = [];
    const wait = async (name: string, caller: Caller, client: string): Promise<void> => {
      const admission = await admit(ledger, caller, { client });
      order.push(name);
      setImmediate(() => admission.release(undefined));
    };
    const first = await admit(ledger, anybody);
    const all = [
      wait("one1", anybody, "10.0.0.1"),
      wait("one2", anybody, "10.0.0.1"),
      wait("two", anybody, "10.0.0.2"),
      wait("alice1", alice, "10.0.0.1"),
      wait("alice2", alice, "10.0.0.9"),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    first.release(undefined);
    await Promise.all(all);
    expect(order).toEqual(["one1", "two", "alice1", "one2", "alice2"]);
  });

  it("refuses a call that waits with a key that is revoked, and lets one under way end", async () => {
    const ledger = open({ settings: { limits: { concurrent: 1 } } });
    const caller = keyed(ledger);
    const running = await admit(ledger, caller);
    const waiting = refusal(() => admit(ledger, caller));
    await Promise.resolve();
    ledger.keys.revoke("alice");
    expect(await waiting).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(await refusal(() => admit(ledger, caller))).toMatchObject({ status: 401 });
    running.release(tokens(1, 1));
    expect(ledger.access.load).toEqual({ running: 0, waiting: 0 });
  });

  it("says honestly that it is busy, and when to come back by the rate at which calls end", async () => {
    const ledger = open({ settings: { limits: { concurrent: 1, queued: 1 } } });
    const anybody = enter(ledger, {}, "local");
    const first = await admit(ledger, anybody);
    const waiting = admit(ledger, anybody);
    const unknown = await refusal(() => admit(ledger, anybody));
    expect(unknown).toMatchObject({ status: 503, code: "overloaded", retryAfterMs: 5_000 });
    expect(unknown.message).toContain("1 calls are under way, 1 wait");
    ledger.clock.advance(4_000);
    first.release(undefined);
    let last = await waiting;
    for (let count = 0; count < 9; count++) {
      ledger.clock.advance(4_000);
      last.release(undefined);
      last = await admit(ledger, anybody);
    }
    const next = admit(ledger, anybody);
    // 10 ends in 36 s, and two calls are before this one's end
    expect((await refusal(() => admit(ledger, anybody))).retryAfterMs).toBe(7_200);
    last.release(undefined);
    (await next).release(undefined);
  });

  it("gives back what a call took that had no turn", async () => {
    const ledger = open({ settings: { limits: { concurrent: 1, queueSeconds: 1 } } });
    const caller = keyed(ledger, { requestsPerMinute: 2, tokensPerMinute: 100, tokensPerMonth: 1_000 });
    const blocker = await admit(ledger, enter(ledger, {}, "local"));
    const leaver = new AbortController();
    const left = admit(ledger, caller, { estimatedPromptTokens: 90 }, leaver);
    await Promise.resolve();
    leaver.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    const late = refusal(() => admit(ledger, caller, { estimatedPromptTokens: 90 }));
    await Promise.resolve();
    ledger.clock.advance(1_000);
    expect(await late).toMatchObject({ status: 503, code: "overloaded" });
    blocker.release(undefined);
    const admission = await admit(ledger, caller, { estimatedPromptTokens: 0 });
    expect(admission.headers.slice(2, 4)).toEqual(["x-ratelimit-remaining-requests", "1"]);
    expect(admission.headers.slice(8, 10)).toEqual(["x-ratelimit-remaining-tokens", "100"]);
  });
});
