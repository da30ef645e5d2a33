import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { oddAnswer, oddStream } from "../../../support/upstream/behaviours/complete.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

const stack = new AsyncDisposableStack();
let upstream: Upstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = stack.use(await startUpstream());
  const aliases = { 'odd \u00e9 "name"': ["odd/odd-json"] };
  gateway = stack.use(await startGateway({ providers: { odd: upstream }, settings: { aliases } }));
});
afterAll(() => stack.disposeAsync());

/** A request as no serialiser writes it; `model` as the test names it. */
const oddRequest = (model: string, stream: boolean): string =>
  `\t{ "temperature" : 1.0,"x_unknown":{"model":"inner", "deep":[2.0, 1E2, "caf\\u00e9 \\/ \\ud83d\\ude00"]},\r\n` +
  `"messages":[{"role":"user","content":"the \\"model\\": \\\\"}] ,"seed": 12345678901234567890, "model":${model} ,"stream":${stream} }\n`;

async function send(body: string): Promise<{ body: Buffer; headers: Record<string, unknown> }> {
  upstream.forget();
  const answer = await request(`${gateway.baseUrl}/chat/completions`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      authorization: "Bearer the-client's-own",
      cookie: "a=b",
      "x-forwarded-for": "203.0.113.7",
      forwarded: "for=203.0.113.7",
    },
  });
  return { body: Buffer.from(await answer.body.arrayBuffer()), headers: answer.headers };
}

describe("bytes", () => {
  it("of a request and its answer are what was sent, in both forms", async () => {
    for (const [stream, expected] of [
      [false, oddAnswer],
      [true, oddStream],
    ] as const) {
      const { body, headers } = await send(oddRequest('"odd-json"', stream));
      expect(body.toString()).toBe(expected);
      expect(headers["x-postern-rewritten"]).toBeUndefined();
      expect(upstream.calls[0]?.body.toString()).toBe(oddRequest('"odd-json"', stream));
    }
  });

  it.each([
    ["an alias", '"odd \\u00e9 \\"name\\""'],
    ["the provider's name before it", '"odd/odd-json"'],
    ["escapes where none are due", '"odd\\/\\u006fdd-json"'],
  ])("change only in the model's name, and the answer says so: %s", async (_, model) => {
    const { body, headers } = await send(oddRequest(model, false));
    expect(headers["x-postern-rewritten"]).toBe("model");
    expect(upstream.calls[0]?.body.toString()).toBe(oddRequest('"odd-json"', false));
    expect(body.toString()).toBe(oddAnswer);
  });

  it("of the client's credentials and address never reach the provider", async () => {
    await send(oddRequest('"odd-json"', false));
    const { headers = {} } = upstream.calls[0] ?? {};
    for (const name of ["authorization", "cookie", "x-forwarded-for", "forwarded"])
      expect(headers[name]).toBeUndefined();
    expect(headers["user-agent"]).toMatch(/^postern\//);
    expect(headers["accept-encoding"]).toBe("identity");
  });

  it("of headers that the provider adds arrive too", async () => {
    expect((await send(oddRequest('"odd-json"', false))).headers["x-odd"]).toBe("kept");
  });
});
