/**
 * The clients that people use, against a gateway before a provider that fails in every way. Whatever the provider does,
 * a client either has the whole answer or raises; by themselves two of three take half a text for success.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientNames, clients, type ClientName } from "../../../support/clients/clients.ts";
import { toolName, type Client, type Question, type Told } from "../../../support/clients/client.ts";
import { startGateway } from "../../../support/gateway.ts";
import { behaviours, type BehaviourName } from "../../../support/upstream/behaviours.ts";
import { streamError } from "../../../support/upstream/behaviours/broken.ts";
import { answerText } from "../../../support/upstream/content.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

const names = Object.keys(behaviours) as BehaviourName[];
/** Answers that are whole: of every other one a client must hear that something went wrong. */
const whole = new Set<BehaviourName>([
  "normal",
  "paced",
  "slow-first-token",
  "no-done",
  "tool-calls",
  "odd-json",
  "huge",
]);
/** Whole at the second attempt, which the gateway makes by itself. */
const rescued = new Set<BehaviourName>(["rate-limited-once", "failing-once", "reset-once"]);
/** Right as JSON answers; no streams, though asked for one. */
const jsonOnly = new Set<BehaviourName>(["compressed", "never-streams"]);
const badOf = (stream: boolean): BehaviourName[] =>
  names.filter((name) => !whole.has(name) && !rescued.has(name) && (stream || !jsonOnly.has(name)));
const forms = [
  ["a stream", true],
  ["a JSON answer", false],
] as const;

const outcomeOf = (asked: Promise<Told>): Promise<Told | Error> =>
  asked.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));

describe.each(clientNames)("the client %s through the gateway", (clientName) => {
  const stack = new AsyncDisposableStack();
  let upstream: Upstream;
  let client: Client;
  beforeAll(async () => {
    upstream = stack.use(await startUpstream());
    // A provider for each behaviour, lest the breaker that one opens hides another.
    const providers = Object.fromEntries(names.map((name) => [name, { baseUrl: upstream.baseUrl, models: [name] }]));
    const timeouts = { firstTokenSeconds: { local: 2, cloud: 2 }, idleSeconds: 1 };
    const gateway = stack.use(await startGateway({ providers, settings: { timeouts } }));
    client = clients[clientName]({ baseUrl: gateway.baseUrl });
  });
  afterAll(() => stack.disposeAsync());
  const ask = (model: BehaviourName, stream: boolean, more: Partial<Question> = {}): Promise<Told> =>
    client.ask({ model, stream, ...more });

  it.each(forms)("has %s whole, with its end and its tokens", async (_, stream) => {
    const told = { text: answerText, finishReason: "stop", completionTokens: 60 };
    expect(await ask("normal", stream)).toMatchObject(told);
    expect(await ask("no-done", stream)).toMatchObject(told);
    expect(await ask("slow-first-token", stream)).toMatchObject(told);
  });

  it.each([...jsonOnly])("has a JSON answer whole of a provider that knows no streams: %s", async (model) => {
    expect(await ask(model, false)).toMatchObject({ text: answerText, finishReason: "stop" });
  });

  it.each(forms)("has the call of a tool in %s", async (_, stream) => {
    expect(await ask("tool-calls", stream, { tools: true })).toMatchObject({
      toolCall: { name: toolName, arguments: { street: "Mill Lane" } },
      finishReason: "tool_calls",
    });
  });

  it.each(forms)("has eight megabytes in %s", async (_, stream) => {
    expect((await ask("huge", stream)).text.replaceAll(" ", "")).toHaveLength(8_389_000);
  });

  it.each([...rescued])("does not hear of a provider that fails once: %s", async (model) => {
    for (const [, stream] of forms) {
      upstream.forget();
      expect(await ask(model, stream)).toMatchObject({ text: answerText, finishReason: "stop" });
      expect(upstream.calls).toHaveLength(2);
    }
  });

  describe.each(forms)("raises for %s", (_, stream) => {
    it.concurrent.each(badOf(stream))("%s", async (model) => {
      const outcome = await outcomeOf(ask(model, stream, { signal: AbortSignal.timeout(15_000) }));
      expect(outcome).toBeInstanceOf(Error);
      expect((outcome as Error).message).not.toMatch(/abort|timed? ?out/i);
    });
  });

  it("hears from a stream that breaks who failed, and from a provider's own words what it said", async () => {
    const messageOf = (model: BehaviourName): Promise<string> => ask(model, true).then(() => "whole", String);
    expect(await messageOf("error-beside-choices")).toContain(streamError.message);
    expect(await messageOf("content-refused")).toContain("safety system");
  });

  it.each([
    ["amid a stream", "paced", true],
    ["before a stream has begun", "silent", true],
    ["before a JSON answer", "silent", false],
  ] as const)("reaches the provider within 100 ms when it leaves %s", async (_, model, stream) => {
    const reachedAfterMs: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      upstream.forget();
      const leaving = new AbortController();
      const asked = outcomeOf(ask(model, stream, { signal: leaving.signal }));
      const call = await upstream.call(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const leftAt = performance.now();
      leaving.abort();
      await asked;
      reachedAfterMs.push((await call.left) - leftAt);
    }
    expect(Math.min(...reachedAfterMs)).toBeLessThan(100); // the machine may be busy with other tests for a moment
  });
});

describe("without the gateway", () => {
  it.each<[ClientName, boolean]>([
    ["openai", true],
    ["langchain", true],
    ["ai", false],
  ])("the client %s takes half an answer for the whole: %s", async (name, isFooled) => {
    await using upstream = await startUpstream();
    const client = clients[name]({ baseUrl: upstream.baseUrl });
    const outcome = await outcomeOf(client.ask({ model: "ends-unfinished", stream: true }));
    expect(outcome instanceof Error).toBe(!isFooled);
  });
});
