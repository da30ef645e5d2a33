import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWebhook } from "../../../../../tee-bot/bot/simulator/container/webhook.ts";
import { startHook, type Hook } from "../support/hook.ts";

let hook: Hook;
beforeEach(async () => {
  hook = await startHook();
});
afterEach(() => hook[Symbol.asyncDispose]());

const never = new AbortController().signal;

describe("the webhook's client", () => {
  it("posts the line and a newline, with Basic credentials from the URL", async () => {
    const post = createWebhook(`http://bot:p%40ss@127.0.0.1:${hook.port}/hooks/signal?a=b`);
    expect(await post('{"jsonrpc":"2.0"}', never)).toBeUndefined();
    expect(hook.posted).toMatchObject([
      {
        method: "POST",
        path: "/hooks/signal?a=b",
        body: '{"jsonrpc":"2.0"}\n',
        headers: {
          authorization: `Basic ${Buffer.from("bot:p@ss").toString("base64")}`,
          "content-type": "application/json",
          "user-agent": "Go-http-client/1.1",
          "content-length": "18",
        },
      },
    ]);
  });

  it("sends no credentials where the URL has none", async () => {
    await createWebhook(hook.url)("{}", never);
    expect(hook.posted[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    [307, "POST", "{}\n"],
    [308, "POST", "{}\n"],
    [302, "GET", ""],
  ])("follows a redirect with %i by %s", async (status, method, body) => {
    hook.answer = ({ path }) => (path === "/new" ? { status: 200 } : { status, location: "/new" });
    expect(await createWebhook(hook.url)("{}", never)).toBeUndefined();
    expect(hook.posted[1]).toMatchObject({ method, path: "/new", body });
  });

  it("gives up a chain of redirects after ten", async () => {
    hook.answer = () => ({ status: 307, location: "/again" });
    expect(await createWebhook(hook.url)("{}", never)).toMatch(/stopped after 10 redirects/);
    expect(hook.posted).toHaveLength(11);
  });

  it("waits for an answer until the process ends", async () => {
    hook.answer = () => new Promise(() => {});
    const life = new AbortController();
    setTimeout(() => life.abort(), 100);
    expect(await createWebhook(hook.url)("{}", life.signal)).toMatch(/could not be called/);
  });
});
