import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { answerText, answerWords, jsonAnswer } from "../../../support/upstream/content.ts";
import { oddAnswer, oddStream } from "../../../support/upstream/behaviours/complete.ts";
import { startUpstream } from "../../../support/upstream/upstream.ts";
import { chat, startCalledGateway } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

describe("a call", () => {
  it("passes the client's bytes to the provider, and the provider's back", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const body = `{ "messages":[{"role":"user","content":"caf\\u00e9"}] , "top_k":2.0,"model":"odd-json","x":{"b":1} }\n`;
    const answer = await gateway.ask(body);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(oddAnswer);
    expect(answer.headers).toMatchObject({ "x-odd": "kept", "content-length": String(Buffer.byteLength(oddAnswer)) });
    expect(upstream.calls[0]?.body.toString()).toBe(body);
  });

  it("passes a stream byte for byte, whatever its line ends", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const answer = await gateway.ask(chat("odd-json", { stream: true }));
    expect(answer.text).toBe(oddStream);
    expect(answer).toMatchObject({ status: 200, broke: false });
    expect(answer.headers["content-type"]).toMatch(/^text\/event-stream/);
  });

  it("sends a provider its own credentials and nothing of the client's head", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    await gateway.ask(chat("m"), {
      headers: {
        authorization: "Bearer of-the-client",
        cookie: "session=1",
        "x-forwarded-for": "203.0.113.1",
        "x-api-key": "k",
        "user-agent": "the client",
        "openai-organization": "org",
      },
    });
    const [sent] = upstream.calls;
    expect(Object.keys(sent!.headers).toSorted()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ]);
    expect(sent?.headers).toMatchObject({
      authorization: "Bearer key-of-first",
      "accept-encoding": "identity",
      "content-type": "application/json",
    });
    expect(sent?.headers["user-agent"]).toMatch(/^postern\//);
  });

  it("keeps from the client what a provider has no business to say", async () => {
    const upstream = stack.use(await startUpstream());
    upstream.behave((request, reply) =>
      reply.send(200, jsonAnswer(request), {
        "set-cookie": "a=b",
        "strict-transport-security": "max-age=1",
        "access-control-allow-origin": "https://elsewhere.test",
        "x-postern-provider": "forged",
        "x-request-id": "theirs",
        connection: "x-hop",
        "x-hop": "1",
        "openai-processing-ms": "12",
      }),
    );
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const { headers } = await gateway.ask(chat("m"));
    expect(headers).toMatchObject({ "x-postern-provider": "first", "openai-processing-ms": "12" });
    expect(headers["x-request-id"]).toMatch(/^req_[0-9a-z]{33}$/);
    for (const name of ["set-cookie", "strict-transport-security", "access-control-allow-origin", "x-hop"])
      expect(headers[name]).toBeUndefined();
  });

  it("says who answered and where the time went", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, {
      route: [upstream],
      access: {
        admit: () => Promise.resolve({ queuedMs: 7, headers: ["x-ratelimit-limit-requests", "60"], release() {} }),
      },
    });
    const { headers } = await gateway.ask(chat("slow-first-token"));
    expect(headers).toMatchObject({
      "x-postern-provider": "first",
      "x-postern-model": "slow-first-token",
      "x-ratelimit-limit-requests": "60",
    });
    expect(headers["x-postern-rewritten"]).toBeUndefined();
    const [, gateway_, queue, provider] = /^gw;dur=([\d.]+), queue;dur=([\d.]+), upstream;dur=([\d.]+)$/.exec(
      headers["server-timing"] as string,
    )!;
    expect(Number(gateway_)).toBeLessThan(500);
    expect(Number(queue)).toBe(7);
    expect(Number(provider)).toBeGreaterThan(990);
  });

  it("changes nothing of the body but the model, where the provider has another name for it, and says so", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [{ origin: upstream.origin, model: "théirs" }] });
    const answer = await gateway.ask(`{"x":2.0, "model" : "ours","messages":[{"model":"ours"}] }`);
    expect(upstream.calls[0]?.body.toString()).toBe(`{"x":2.0, "model" : "théirs","messages":[{"model":"ours"}] }`);
    expect(answer.headers).toMatchObject({ "x-postern-rewritten": "model", "x-postern-model": "th%C3%A9irs" });
  });

  it.each(["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"])(
    "of %s goes to the same place below the provider's base",
    async (path) => {
      const upstream = stack.use(await startUpstream());
      const gateway = await startCalledGateway(stack, { route: [upstream] });
      const answer = await gateway.ask(chat("m"), { path: `${path}?x=1` });
      expect(answer.status).toBe(200);
      expect(upstream.calls[0]?.path).toBe(path);
    },
  );

  it("counts what the provider counted, else guesses and says so", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    await gateway.ask(chat("m"));
    await gateway.ask(chat("m", { stream: true, stream_options: { include_usage: true } }));
    await gateway.ask(chat("m", { stream: true }), { path: "/v1/responses" });
    await gateway.ask(chat("m"), { path: "/v1/embeddings" });
    await gateway.ask(chat("m", { stream: true }));
    await gateway.ask(chat("compressed"));
    const counted = { prompt: 12, completion: answerWords.length, estimated: false };
    const guessed = gateway.ends.slice(4).map(({ tokens }) => tokens);
    expect(gateway.ends.slice(0, 4).map(({ tokens }) => tokens)).toEqual([
      counted,
      counted,
      counted,
      { prompt: 12, completion: 0, estimated: false },
    ]);
    expect(guessed).toMatchObject([
      { prompt: 5, estimated: true },
      { prompt: 5, estimated: true },
    ]);
    expect(guessed[0]?.completion).toBeGreaterThan(answerWords.length - 5);
    expect(guessed[0]?.completion).toBeLessThan(answerWords.length + 5);
    expect(gateway.released).toEqual(gateway.ends.map(({ tokens }) => tokens));
  });

  it("passes on a compressed answer that it has not asked for, with the header that says so", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const answer = await gateway.ask(chat("compressed"));
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(answer.bytes).toString()).toContain(answerText);
  });

  it("passes on an answer larger than anybody holds", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    for (const stream of [false, true]) {
      const answer = await gateway.ask(chat("huge", { stream }));
      expect(answer.broke).toBe(false);
      expect(answer.bytes.length).toBeGreaterThan(8 << 20);
      expect(answer.text.split("x".repeat(1_000)).length).toBe(Math.ceil((8 << 20) / 1_000) + 1);
    }
    expect(gateway.verdicts).toEqual(["first succeeded", "first succeeded"]);
    expect(gateway.underWay()).toBe(0);
  });
});
