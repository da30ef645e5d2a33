import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { faultsOf } from "../conformance/shapes.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const limits = { concurrent: 2, queued: 2, queueSeconds: 2 };

async function start(): Promise<{ upstream: Upstream; gateway: TestGateway }> {
  const upstream = stack.use(await startUpstream());
  return { upstream, gateway: stack.use(await startGateway({ providers: { main: upstream }, settings: { limits } })) };
}

interface Asked {
  readonly answer: Promise<{ status: number; retryAfter: string | undefined; text: string }>;
  leave(): void;
}

function ask({ baseUrl }: TestGateway, model: string): Asked {
  const leaving = new AbortController();
  const send = async () => {
    const { statusCode, headers, body } = await request(`${baseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model, messages: [] }),
      signal: leaving.signal,
    });
    return { status: statusCode, retryAfter: headers["retry-after"] as string | undefined, text: await body.text() };
  };
  const answer = send();
  answer.catch(() => {});
  return { answer, leave: () => leaving.abort() };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

describe("a gateway that has enough to do", () => {
  it("lets some wait, refuses the others with an honest answer, and goes on when a call ends", async () => {
    const { upstream, gateway } = await start();
    const running = [ask(gateway, "silent"), ask(gateway, "silent")];
    await upstream.call(2);
    const waiting = [ask(gateway, "normal"), ask(gateway, "normal")];
    await settle();
    const refused = await ask(gateway, "normal").answer;
    expect(refused.status).toBe(503);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(faultsOf("error", JSON.parse(refused.text))).toEqual([]);
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: "overloaded" } });
    expect(upstream.calls).toHaveLength(2);

    for (const one of running) one.leave();
    expect(await Promise.all(waiting.map(async ({ answer }) => (await answer).status))).toEqual([200, 200]);
  });

  it("lets nobody wait for ever", async () => {
    const { upstream, gateway } = await start();
    const running = [ask(gateway, "silent"), ask(gateway, "silent")];
    await upstream.call(2);
    const askedAt = performance.now();
    expect((await ask(gateway, "normal").answer).status).toBe(503);
    expect(performance.now() - askedAt).toBeGreaterThan(limits.queueSeconds * 900);
    for (const one of running) one.leave();
  });

  it("gives the place of who leaves to the next one, and the provider never hears of who left", async () => {
    const { upstream, gateway } = await start();
    const running = [ask(gateway, "silent"), ask(gateway, "silent")];
    await upstream.call(2);
    const leavers = [ask(gateway, "odd-json"), ask(gateway, "odd-json")];
    await settle();
    for (const one of leavers) one.leave();
    await settle();
    const next = [ask(gateway, "normal"), ask(gateway, "normal")];
    await settle();
    for (const one of running) one.leave();
    for (const { answer } of next) expect((await answer).status).toBe(200);
    expect(upstream.calls.map(({ model }) => model)).toEqual(["silent", "silent", "normal", "normal"]);
  });
});
