import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { answerText } from "../../../support/upstream/content.ts";
import { inTurn } from "../../../support/upstream/behaviour.ts";
import { behaviours, type BehaviourName } from "../../../support/upstream/behaviours.ts";
import { refusing } from "../../../support/upstream/behaviours/refusals.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { chat, startCalledGateway, type Answer, type CalledGateway } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const quick = { timeouts: { connectSeconds: 1, firstTokenSeconds: { local: 0.3, cloud: 0.3 }, idleSeconds: 0.3 } };

/** Two providers, of which the first behaves so; how both were asked, and what came of it. */
async function tryBoth(
  behaviour: BehaviourName,
  { stream = false, ...options }: { stream?: boolean; path?: string; contextLength?: [number, number] } = {},
): Promise<{ answer: Answer; first: Upstream; second: Upstream; gateway: CalledGateway }> {
  const first = stack.use(await startUpstream({ behaviour: behaviours[behaviour] }));
  const second = stack.use(await startUpstream());
  const gateway = await startCalledGateway(stack, {
    route: [
      { origin: first.origin, contextLength: options.contextLength?.[0] },
      { origin: second.origin, contextLength: options.contextLength?.[1] },
    ],
    settings: quick,
  });
  const answer = await gateway.ask(chat("m", { stream }), options.path === undefined ? {} : { path: options.path });
  expect(gateway.underWay()).toBe(0);
  return { answer, first, second, gateway };
}

/** The answer of a gateway with one provider only. */
async function tryOne(
  behaviour: BehaviourName,
  stream = false,
  path?: string,
): Promise<{ answer: Answer; gateway: CalledGateway }> {
  const upstream = stack.use(await startUpstream({ behaviour: behaviours[behaviour] }));
  const gateway = await startCalledGateway(stack, { route: [upstream], settings: quick });
  return { answer: await gateway.ask(chat("m", { stream }), path === undefined ? {} : { path }), gateway };
}

const textOf = ({ text }: Answer): string =>
  text.startsWith("{")
    ? (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]!.message.content
    : [...text.matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join("");

describe.each([false, true])("with stream: %s, a provider", (stream) => {
  it.each<BehaviourName>([
    "closed-before-head",
    "reset-before-head",
    "reset-in-head",
    "closed-after-head",
    "reset-after-head",
    "failing-500",
    "failing-502",
    "failing-503",
    "failing-504",
    "failing-529",
    "timed-out",
    "rate-limited",
    "page-for-people",
    "error-first",
  ])("that is %s is asked twice, then the next one answers", async (behaviour) => {
    const { answer, first, second, gateway } = await tryBoth(behaviour, { stream });
    expect(textOf(answer)).toBe(answerText);
    expect(answer.status).toBe(200);
    expect(answer.headers["x-postern-provider"]).toBe("second");
    expect([first.calls.length, second.calls.length]).toEqual([2, 1]);
    expect(first.calls[1]!.at - first.calls[0]!.at).toBeGreaterThan(95);
    expect(gateway.verdicts).toEqual(["first failed", "first failed", "second succeeded"]);
    expect(gateway.attempts.map(({ decided }) => decided)).toEqual(["retry after 100 ms", "next provider", undefined]);
  });

  it.each<BehaviourName>(["failing-once", "reset-once", "rate-limited-once"])(
    "that is %s is asked again",
    async (behaviour) => {
      const upstream = stack.use(await startUpstream());
      const gateway = await startCalledGateway(stack, { route: [upstream] });
      const answer = await gateway.ask(chat(behaviour, { stream }));
      expect(textOf(answer)).toBe(answerText);
      expect(upstream.calls).toHaveLength(2);
      if (behaviour === "rate-limited-once") {
        expect(upstream.calls[1]!.at - upstream.calls[0]!.at).toBeGreaterThanOrEqual(1_000);
        expect(gateway.verdicts[0]).toBe("first failed 1000");
      }
    },
  );

  it("that wants peace for an hour is left in peace", async () => {
    const { answer, first, gateway } = await tryBoth("rate-limited-for-an-hour", { stream });
    expect(answer.status).toBe(200);
    expect(first.calls).toHaveLength(1);
    expect(gateway.verdicts[0]).toBe("first failed 3600000");
  });

  it.each<BehaviourName>(["silent", "silent-after-head"])("that is %s is not asked again", async (behaviour) => {
    const { answer, first, gateway } = await tryBoth(behaviour, { stream });
    expect(textOf(answer)).toBe(answerText);
    expect(first.calls).toHaveLength(1);
    await first.calls[0]!.left;
    expect(gateway.verdicts).toEqual(["first failed", "second succeeded"]);
  });

  it("that refuses the key is left, and the client learns nothing of the key", async () => {
    const { answer, first } = await tryBoth("key-refused", { stream });
    expect(answer.status).toBe(200);
    expect(first.calls).toHaveLength(1);
    for (const behaviour of ["key-refused", "forbidden"] as const) {
      const alone = await tryOne(behaviour, stream);
      expect(alone.answer.status).toBe(502);
      expect(alone.answer.headers["x-postern-failed"]).toBe("upstream");
      expect(JSON.parse(alone.answer.text)).toMatchObject({
        error: { code: "upstream_refused_key", type: "upstream_error" },
      });
      expect(alone.answer.text).not.toContain("sk-");
    }
  });

  it("without the model is left for the next, and its own words are passed on when there is none", async () => {
    const { answer, first, gateway } = await tryBoth("model-missing", { stream });
    expect(answer.status).toBe(200);
    expect(first.calls).toHaveLength(1);
    expect(gateway.verdicts).toEqual(["first abandoned", "second succeeded"]);
    const alone = await tryOne("model-missing", stream);
    expect(alone.answer.status).toBe(404);
    expect(alone.answer.text).toContain("The model does not exist.");
  });

  it("with too little room is left only for one with more", async () => {
    const larger = await tryBoth("context-exceeded", { stream, contextLength: [8_000, 16_000] });
    expect(larger.answer.status).toBe(200);
    expect(larger.first.calls).toHaveLength(1);
    const smaller = await tryBoth("context-exceeded", { stream, contextLength: [8_000, 4_000] });
    expect(smaller.answer).toMatchObject({ status: 400 });
    expect(smaller.answer.headers["x-postern-failed"]).toBe("client");
    expect(smaller.second.calls).toHaveLength(0);
    expect(JSON.parse(smaller.answer.text)).toMatchObject({
      error: { code: "context_length_exceeded", param: "messages" },
    });
  });

  it("that refuses the content has the last word", async () => {
    const { answer, first, second, gateway } = await tryBoth("content-refused", { stream });
    expect(answer.status).toBe(400);
    expect(answer.headers["x-postern-failed"]).toBe("client");
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "content_policy_violation" } });
    expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
    expect(gateway.verdicts).toEqual(["first abandoned"]);
    expect(gateway.ends).toMatchObject([{ status: 400, error: "upstream_error", failed: "client" }]);
  });

  it("whose head shows that it must not answer is left", async () => {
    const first = stack.use(await startUpstream());
    const second = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, {
      route: [{ origin: first.origin, checkAnswer: () => "no TEE gave it" }, second],
    });
    const answer = await gateway.ask(chat("m", { stream }));
    expect(answer.headers["x-postern-provider"]).toBe("second");
    expect(gateway.attempts[0]?.outcome).toBe("no TEE gave it");
    expect(first.calls).toHaveLength(1);
    expect(gateway.verdicts).toEqual(["first failed", "second succeeded"]);
  });

  it("whose errors are all there is has them passed on as they are", async () => {
    for (const [behaviour, status] of [
      ["failing-503", 503],
      ["rate-limited-for-an-hour", 429],
      ["failing-502", 502],
    ] as const) {
      const { answer, gateway } = await tryOne(behaviour, stream);
      expect(answer.status).toBe(status);
      expect(answer.headers["x-postern-failed"]).toBe("upstream");
      expect(answer.headers["retry-after"]).toBe(status === 429 ? "3600" : undefined);
      if (behaviour === "failing-502") expect(answer.text).toContain("<h1>Something is in the way</h1>");
      expect(gateway.ends).toMatchObject([{ status, error: "upstream_error", failed: "upstream" }]);
    }
  });

  it.each<[BehaviourName, number, string]>([
    ["reset-before-head", 502, "upstream_unreachable"],
    ["closed-after-head", 502, "upstream_broken"],
    ["silent", 504, "upstream_timeout"],
    ["silent-after-head", 504, "upstream_timeout"],
  ])("that is %s, and the only one, is told of with status %i", async (behaviour, status, code) => {
    const { answer, gateway } = await tryOne(behaviour, stream);
    expect(answer.status).toBe(status);
    expect(answer.headers["x-postern-failed"]).toBe("upstream");
    expect(answer.headers["server-timing"]).toMatch(/^gw;dur=/);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code, param: null } });
    expect(gateway.ends).toMatchObject([{ status, error: code, failed: "upstream" }]);
  });
});

describe("a provider", () => {
  it.each<BehaviourName>([
    "closed-between-events",
    "reset-between-events",
    "ends-unfinished",
    "ends-uncounted",
    "malformed-event",
    "length-too-long",
    "length-too-short",
    "stalling",
    "error-later",
  ])("whose JSON is %s is never taken for one that answered", async (behaviour) => {
    const { answer, gateway } = await tryBoth(behaviour);
    expect(textOf(answer)).toBe(answerText);
    expect(answer.headers["x-postern-provider"]).toBe("second");
    expect(gateway.verdicts).not.toContain("first succeeded");
  });

  it("that puts its error into an answer with status 200 has it passed on with the status of a failure", async () => {
    const { answer } = await tryOne("error-later");
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "engine_failed" } });
  });

  it("that does not run is told from one that answers, and its address is nobody's business", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const gateway = await startCalledGateway(stack, { route: [{ origin: `http://127.0.0.1:${port}` }] });
    const answer = await gateway.ask(chat("m"));
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "upstream_unreachable" } });
    expect(answer.text).toContain("refused");
    expect(answer.text).not.toContain(String(port));
    expect(gateway.attempts).toHaveLength(2);
  });

  it("without /v1/responses is left for one that has it, else that is said plainly", async () => {
    const bare = stack.use(await startUpstream({ behaviour: (_, reply) => reply.send(404, "404 page not found") }));
    const able = stack.use(await startUpstream());
    const both = await startCalledGateway(stack, { route: [bare, able] });
    expect((await both.ask(chat("m"), { path: "/v1/responses" })).status).toBe(200);
    const alone = await startCalledGateway(stack, { route: [bare] });
    const answer = await alone.ask(chat("m"), { path: "/v1/responses" });
    expect(answer.status).toBe(501);
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "not_supported" } });
  });

  it("that is not let through by its breaker is passed over", async () => {
    const first = stack.use(await startUpstream());
    const second = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [{ origin: first.origin, permits: 0 }, second] });
    expect((await gateway.ask(chat("m"))).headers["x-postern-provider"]).toBe("second");
    expect(first.calls).toHaveLength(0);
    const shut = await startCalledGateway(stack, { route: [{ origin: first.origin, permits: 0 }] });
    const answer = await shut.ask(chat("m"));
    expect(answer).toMatchObject({ status: 503 });
    expect(answer.headers["retry-after"]).toBe("1");
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "no_provider" } });
  });

  it("is asked no more often than the budget allows", async () => {
    const upstreams = await Promise.all([1, 2, 3].map(() => startUpstream({ behaviour: behaviours["failing-503"] })));
    for (const one of upstreams) stack.use(one);
    const gateway = await startCalledGateway(stack, {
      route: upstreams,
      settings: { retry: { perProvider: 3, total: 5 } },
    });
    expect((await gateway.ask(chat("m"))).status).toBe(503);
    expect(upstreams.map(({ calls }) => calls.length)).toEqual([3, 2, 0]);
  });

  it("gives the error that is passed on, even when another one could not be reached after it", async () => {
    const first = stack.use(await startUpstream({ behaviour: refusing(503, { message: "Come back later." }) }));
    const second = stack.use(await startUpstream({ behaviour: behaviours["reset-before-head"] }));
    const gateway = await startCalledGateway(stack, { route: [first, second] });
    const answer = await gateway.ask(chat("m"));
    expect(answer.status).toBe(503);
    expect(answer.headers["x-postern-provider"]).toBe("first");
    expect(answer.text).toContain("Come back later.");
  });

  it("gets the model by its own name at each attempt", async () => {
    const first = stack.use(await startUpstream({ behaviour: inTurn(refusing(500), refusing(500)) }));
    const second = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, {
      route: [
        { origin: first.origin, model: "a" },
        { origin: second.origin, model: "b" },
      ],
    });
    const answer = await gateway.ask(chat("ours"));
    expect(first.calls.map(({ model }) => model)).toEqual(["a", "a"]);
    expect(second.calls.map(({ model }) => model)).toEqual(["b"]);
    expect(answer.headers["x-postern-model"]).toBe("b");
  });
});
