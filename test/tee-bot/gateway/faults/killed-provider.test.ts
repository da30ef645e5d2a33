import { afterEach, describe, expect, it } from "vitest";
import { openaiClient } from "../../../support/clients/openai-client.ts";
import { startGateway, type SettingsInput, type TestGateway } from "../../../support/gateway.ts";
import { until } from "../../../support/postern.ts";
import { answerText } from "../../../support/upstream/content.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const models = ["normal", "paced", "silent"];

async function start(settings: SettingsInput = {}): Promise<{ upstream: Upstream; gateway: TestGateway }> {
  const upstream = await startUpstream({ models });
  stack.defer(() => upstream[Symbol.asyncDispose]());
  const discovery = { ollama: "off", lmStudio: "off", everySeconds: 0.5 } as const;
  return {
    upstream,
    gateway: stack.use(await startGateway({ providers: { main: upstream }, settings: { discovery, ...settings } })),
  };
}

describe("a provider that is killed", () => {
  it.each([
    ["amid streams", "paced", true],
    ["before their first byte", "silent", true],
    ["while JSON is awaited", "silent", false],
  ])("%s is an error for everybody who waits for it, soon", async (_, model, stream) => {
    const { upstream, gateway } = await start();
    const client = openaiClient({ baseUrl: gateway.baseUrl });
    const asked = Array.from({ length: 20 }, () =>
      client.ask({ model, stream }).then(
        () => "answered",
        () => "error",
      ),
    );
    await upstream.call(20);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const killedAt = performance.now();
    await upstream[Symbol.asyncDispose]();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["error"]));
    expect(performance.now() - killedAt).toBeLessThan(5_000);
  });

  it("fails soon for who asks meanwhile, and answers again soon after it is back", async () => {
    const { upstream, gateway } = await start();
    const client = openaiClient({ baseUrl: gateway.baseUrl });
    const works = (): Promise<boolean> =>
      client.ask({ model: "normal", stream: true }).then(
        ({ text }) => text === answerText,
        () => false,
      );
    expect(await works()).toBe(true);
    await upstream[Symbol.asyncDispose]();
    for (let at = 0; at < 5; at++) {
      const askedAt = performance.now();
      expect(await works()).toBe(false);
      expect(performance.now() - askedAt).toBeLessThan(2_000); // one more try, for servers that are just restarted
    }

    stack.use(await startUpstream({ models }, upstream.port));
    expect(await until(works, 10_000, "it answers again")).toBeLessThan(3_000);
  });

  it("has its calls done by another one that has the model, when nothing was sent yet", async () => {
    const first = await startUpstream({ models: ["silent"] });
    const second = stack.use(await startUpstream({ models: ["normal"] }));
    const aliases = { both: ["first/silent", "second/normal"] };
    const gateway = stack.use(await startGateway({ providers: { first, second }, settings: { aliases } }));
    const client = openaiClient({ baseUrl: gateway.baseUrl });
    const asked = [true, false].map((stream) => client.ask({ model: "both", stream }));
    await first.call(2);
    await first[Symbol.asyncDispose]();
    for (const { text } of await Promise.all(asked)) expect(text).toBe(answerText);
  });
});
