import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KeyWish } from "../../../tee-bot/gateway/access/api-key.ts";
import { startGateway, type SettingsInput, type TestGateway } from "../../support/gateway.ts";
import { until } from "../../support/postern.ts";
import { startUpstream, type Upstream } from "../../support/upstream/upstream.ts";

let stack: AsyncDisposableStack;
let upstream: Upstream;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  upstream = stack.use(await startUpstream());
});
afterEach(() => stack.disposeAsync());

async function start(wish: Partial<KeyWish> = {}, settings: SettingsInput = {}) {
  const timeouts = { idleSeconds: 0.3 };
  const providers = { one: { baseUrl: upstream.baseUrl } };
  const options = { providers, settings: { timeouts, ...settings }, surface: "public" } as const;
  const running = stack.use(await startGateway(options));
  const { key, text } = running.gateway.ledger.keys.create({ name: "alice", ...wish });
  const post = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
    fetch(`${running.baseUrl}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${text}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  const messages = [{ role: "user", content: "Say something, please." }];
  const chat = (model = "normal", more: object = {}, signal?: AbortSignal): Promise<Response> =>
    post("/chat/completions", { model, messages, ...more }, signal);
  const used = (): number => running.gateway.ledger.usage.of(key.id, Date.now());
  return { ...running, key, text, post, chat, used };
}

const errorOf = async (answer: Response): Promise<object> => ((await answer.json()) as { error: object }).error;
const running = ({ gateway }: TestGateway): number => gateway.ledger.access.load.running;

describe("a call with a key", () => {
  it("never shows its key to the provider", async () => {
    const { chat, text } = await start();
    expect((await chat()).status).toBe(200);
    expect(JSON.stringify((await upstream.call(1)).headers)).not.toContain(text.slice(8));
  });

  it("is told with each answer what is left, and with the refusal when to come back", async () => {
    const { chat } = await start({ requestsPerMinute: 1, tokensPerMinute: 100_000 });
    const first = await chat();
    expect(first.status).toBe(200);
    expect(first.headers.get("x-ratelimit-limit-requests")).toBe("1");
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(Number(first.headers.get("x-ratelimit-remaining-tokens"))).toBeGreaterThan(90_000);
    const second = await chat();
    expect(second.status).toBe(429);
    expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(30);
    expect(second.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(second.headers.get("x-postern-failed")).toBe("client");
    expect(await errorOf(second)).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
    expect(upstream.calls).toHaveLength(1);
  });

  it.each([
    ["a chat", "/chat/completions", { model: "normal", messages: [{ role: "user", content: "hello" }] }],
    [
      "a stream",
      "/chat/completions",
      { model: "normal", stream: true, messages: [{ role: "user", content: "hello" }] },
    ],
    ["a completion", "/completions", { model: "normal", prompt: "hello" }],
    ["an embedding", "/embeddings", { model: "normal", input: "hello there" }],
    ["a response", "/responses", { model: "normal", input: "hello" }],
    ["a stream that broke", "/chat/completions", { model: "reset-between-events", stream: true, messages: [] }],
    ["a stream that stalled", "/chat/completions", { model: "stalling", stream: true, messages: [] }],
  ])("counts its tokens: %s", async (_, path, body) => {
    const gateway = await start();
    await (await gateway.post(path, body)).text();
    await until(() => running(gateway) === 0, 2_000, "the call is over");
    expect(gateway.used()).toBeGreaterThan(0);
  });

  it("counts its tokens when the client leaves amid a stream", async () => {
    const gateway = await start();
    const leaver = new AbortController();
    const answer = await gateway.chat("paced", { stream: true }, leaver.signal);
    await answer.body?.getReader().read();
    leaver.abort();
    await until(() => running(gateway) === 0, 2_000, "the call is over");
    expect(gateway.used()).toBeGreaterThan(0);
  });

  it("is refused when the month's tokens are used, until the month is over", async () => {
    const { chat } = await start({ tokensPerMonth: 1 });
    await (await chat()).text();
    const refused = await chat();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(refused)).toMatchObject({ type: "insufficient_quota", code: "insufficient_quota" });
  });

  it("is refused a model that is not for it, and does not see it listed", async () => {
    const { chat, baseUrl, text } = await start({ models: ["no*"] });
    expect((await chat("no-done")).status).toBe(200);
    const refused = await chat("paced");
    expect(refused.status).toBe(403);
    expect(await errorOf(refused)).toMatchObject({ code: "model_not_allowed", param: "model" });
    const listed = await fetch(`${baseUrl}/models`, { headers: { "x-api-key": text } });
    const { data } = (await listed.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id).toSorted()).toEqual(["no-done", "normal"]);
  });

  it("waits for its turn, and is refused one honestly when it has waited for too long", async () => {
    const limits = { concurrent: 1, queued: 10, queueSeconds: 0.3 };
    const gateway = await start({}, { limits });
    const leaver = new AbortController();
    await gateway.chat("paced", { stream: true }, leaver.signal);
    const refused = await gateway.chat();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await errorOf(refused)).toMatchObject({ type: "overloaded_error", code: "overloaded" });
    const waiting = gateway.chat();
    await until(() => gateway.gateway.ledger.access.load.waiting === 1, 2_000, "it waits");
    leaver.abort();
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(answer.headers.get("server-timing")).toMatch(/queue;dur=[1-9]/);
  });

  it("gives its place in the queue up when its client leaves", async () => {
    const gateway = await start({}, { limits: { concurrent: 1 } });
    const leavers = [new AbortController(), new AbortController()] as const;
    await gateway.chat("paced", { stream: true }, leavers[0].signal);
    const waiting = gateway.chat("normal", {}, leavers[1].signal).catch(() => undefined);
    const { access, tracker } = gateway.gateway.ledger;
    await until(() => access.load.waiting === 1, 2_000, "it waits");
    leavers[1].abort();
    await waiting;
    await until(() => access.load.waiting === 0, 1_000, "its place is free");
    leavers[0].abort();
    await until(() => tracker.list(10).length === 2, 2_000, "both calls are over");
    expect(tracker.list(10).map(({ status, failed }) => ({ status, failed }))).toEqual(
      Array.from({ length: 2 }, () => ({ status: 499, failed: "client" })),
    );
    expect(upstream.calls).toHaveLength(1);
  });

  it("has a trace that its key can read, under the id of its answer", async () => {
    const { chat, baseUrl, text, key } = await start();
    const answer = await chat("failing-once");
    await answer.text();
    const id = answer.headers.get("x-request-id");
    const trace = await fetch(`${baseUrl}/requests/${id}/trace`, { headers: { "x-api-key": text } });
    expect(await trace.json()).toMatchObject({
      id,
      key: { id: key.id, name: "alice" },
      status: 200,
      attempts: [
        { provider: "one", status: 500, decided: expect.stringContaining("retry") as string },
        { provider: "one", status: 200, outcome: "answered", decided: null },
      ],
    });
  });
});
