import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { behaviours, type BehaviourName } from "../../../support/upstream/behaviours.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { eventsOf, faultsOf, type Shape } from "./shapes.ts";

const stack = new AsyncDisposableStack();
let upstream: Upstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = stack.use(await startUpstream());
  const failing = Object.keys(behaviours).filter((name) => name !== "normal" && name !== "tool-calls");
  gateway = stack.use(
    await startGateway({
      providers: {
        well: { baseUrl: upstream.baseUrl, models: ["normal", "tool-calls"] },
        ...Object.fromEntries(failing.map((name) => [name, { baseUrl: upstream.baseUrl, models: [name] }])),
      },
      settings: {
        aliases: { "a-name-of-our-own": ["well/normal"] },
        limits: { bodyMiB: 0.01 },
        retry: { total: 1, perProvider: 1 },
        timeouts: { firstTokenSeconds: { local: 0.3, cloud: 0.3 }, idleSeconds: 0.3 },
      },
    }),
  );
});
afterAll(() => stack.disposeAsync());

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(path: string, body?: object | string, more: RequestInit = {}): Promise<Answer> {
  const init =
    body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
  const headers = { "content-type": "application/json", ...(more.headers as Record<string, string>) };
  const answer = await fetch(`${gateway.origin}${path}`, { ...init, ...more, headers });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const chat = (model: string, more: object = {}): Promise<Answer> =>
  ask("/v1/chat/completions", { model, messages: [{ role: "user", content: "hello" }], ...more });

describe("the shape of an answer", () => {
  it.each<[Shape, string, object]>([
    ["chatCompletion", "/v1/chat/completions", { model: "normal", messages: [] }],
    ["chatCompletion", "/v1/chat/completions", { model: "tool-calls", messages: [] }],
    ["chatCompletion", "/v1/chat/completions", { model: "a-name-of-our-own", messages: [] }],
    ["completion", "/v1/completions", { model: "normal", prompt: "hello" }],
    ["embeddings", "/v1/embeddings", { model: "normal", input: "hello" }],
    ["response", "/v1/responses", { model: "normal", input: "hello" }],
  ])("is %s at %s for %o", async (shape, path, body) => {
    const { status, text, headers } = await ask(path, body);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("application/json");
    expect(faultsOf(shape, JSON.parse(text))).toEqual([]);
  });

  it.each<[Shape, string, object]>([
    ["chatChunk", "/v1/chat/completions", { model: "normal", messages: [], stream_options: { include_usage: true } }],
    ["chatChunk", "/v1/chat/completions", { model: "tool-calls", messages: [] }],
    ["completion", "/v1/completions", { model: "normal", prompt: "hello" }],
    ["responseEvent", "/v1/responses", { model: "normal", input: "hello" }],
  ])("of every event is %s at %s for %o", async (shape, path, body) => {
    const { text, headers } = await ask(path, { ...body, stream: true });
    expect(headers.get("content-type")).toContain("text/event-stream");
    const events = eventsOf(text);
    expect(events.length).toBeGreaterThan(5);
    expect(events.flatMap((event) => faultsOf(shape, event))).toEqual([]);
  });

  it("is that of models, of each and of all", async () => {
    const all = JSON.parse((await ask("/v1/models")).text) as { data: { id: string }[] };
    expect(faultsOf("models", all)).toEqual([]);
    const ids = all.data.map(({ id }) => id);
    for (const id of ["normal", "a-name-of-our-own"]) {
      expect(ids).toContain(id);
      expect(faultsOf("model", JSON.parse((await ask(`/v1/models/${id}`)).text))).toEqual([]);
    }
  });
});

describe("the shape of an error", () => {
  const notJson = { method: "POST", headers: { "content-type": "text/plain", "content-encoding": "br" } };

  it.each<[number, string, () => Promise<Answer>]>([
    [400, "broken JSON", () => ask("/v1/chat/completions", '{"model": "normal", ')],
    [400, "no model", () => ask("/v1/chat/completions", { messages: [] })],
    [400, "a model that is no text", () => ask("/v1/embeddings", { model: 7 })],
    [400, "a list", () => ask("/v1/chat/completions", "[1]")],
    [400, "nothing", () => ask("/v1/chat/completions", "")],
    [404, "an unknown model", () => chat("nobody-has-this")],
    [404, "an unknown path", () => ask("/v1/nothing", {})],
    [404, "an unknown model's page", () => ask("/v1/models/nobody-has-this")],
    [
      404,
      "an unknown node",
      () => ask("/v1/chat/completions", { model: "normal" }, { headers: { "x-target-node": "elsewhere" } }),
    ],
    [405, "a wrong method", () => ask("/v1/chat/completions")],
    [413, "a body above the limit", () => chat("normal", { padding: "x".repeat(20_000) })],
    [415, "a compressed body", () => ask("/v1/chat/completions", "xx", notJson)],
    [400, "the provider's own refusal", () => chat("content-refused")],
    [429, "the provider's limit", () => chat("rate-limited")],
    [500, "the provider's own failure", () => chat("failing-500")],
    [502, "a key that the provider refuses", () => chat("key-refused")],
    [502, "a reset connection", () => chat("reset-before-head")],
    [502, "a cut answer", () => chat("closed-between-events")],
    [502, "an answer that is none", () => chat("page-for-people")],
    [504, "a silent provider", () => chat("silent")],
  ])("is OpenAI's, with status %i, for %s", async (status, _, asking) => {
    const answer = await asking();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(faultsOf("error", JSON.parse(answer.text))).toEqual([]);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
  });

  it.each<BehaviourName>(["closed-mid-event", "reset-between-events", "ends-unfinished", "ends-uncounted", "stalling"])(
    "is OpenAI's in the last event of a stream that breaks: %s",
    async (model) => {
      for (const [path, shape] of [
        ["/v1/chat/completions", "chatChunk"],
        ["/v1/completions", "completion"],
      ] as const) {
        const { status, text } = await ask(path, { model, messages: [], prompt: "hello", stream: true });
        const events = eventsOf(text);
        expect(status).toBe(200);
        expect(faultsOf("error", events.at(-1))).toEqual([]);
        expect(events.slice(0, -1).flatMap((event) => faultsOf(shape, event))).toEqual([]);
        expect(text).not.toContain("[DONE]");
        expect(text.endsWith("\n\n")).toBe(true);
      }
    },
  );
});

describe("the schemas", () => {
  it("find what is wrong", () => {
    expect(faultsOf("error", { error: { message: "", type: "x", param: null, code: null } })).toEqual([
      "error/error/message must NOT have fewer than 1 characters",
    ]);
    expect(
      faultsOf("chatCompletion", { id: "a", object: "chat.completion", created: 1, model: "m", choices: [] }),
    ).toEqual(["chatCompletion/choices must NOT have fewer than 1 items"]);
    expect(faultsOf("responseEvent", { type: "response.completed", sequence_number: 1 })).not.toEqual([]);
    expect(faultsOf("chatChunk", { error: {} })).not.toEqual([]);
  });
});
