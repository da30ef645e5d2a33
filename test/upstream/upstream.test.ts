/** The stand-in for an OpenAI-compatible server breaks exactly as it says; every test of the gateway relies on that. */
import { connect } from "node:net";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { behaviours, type BehaviourName } from "../support/upstream/behaviours.ts";
import { inTurn, until } from "../support/upstream/behaviour.ts";
import { answering, oddAnswer } from "../support/upstream/behaviours/complete.ts";
import { refusing } from "../support/upstream/behaviours/refusals.ts";
import { answerText, answerWords } from "../support/upstream/content.ts";
import { startUpstream, type Upstream, type UpstreamOptions } from "../support/upstream/upstream.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const start = async (options: UpstreamOptions = {}): Promise<Upstream> => stack.use(await startUpstream(options));

interface Heard {
  readonly status: number | undefined;
  readonly body: string;
  /** Why it broke off; undefined: it ended as HTTP says. */
  readonly broke: string | undefined;
}

async function hear(
  upstream: Upstream,
  model: string,
  stream: boolean,
  { path = "/chat/completions", patienceMs = 400 } = {},
): Promise<Heard> {
  let status: number | undefined;
  const chunks: Buffer[] = [];
  try {
    const answer = await request(`${upstream.baseUrl}${path}`, {
      method: "POST",
      body: JSON.stringify({ model, stream, messages: [], stream_options: { include_usage: true } }),
      signal: AbortSignal.timeout(patienceMs),
    });
    status = answer.statusCode;
    for await (const chunk of answer.body) chunks.push(chunk as Buffer);
    return { status, body: Buffer.concat(chunks).toString(), broke: undefined };
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    return { status, body: Buffer.concat(chunks).toString(), broke: name === "TimeoutError" ? "silence" : code };
  }
}

describe("the stand-in for an OpenAI-compatible server", () => {
  it.each(["/chat/completions", "/completions", "/responses"])(
    "answers %s whole, as JSON and as a stream",
    async (path) => {
      const upstream = await start();
      const json = await hear(upstream, "normal", false, { path });
      expect(json).toMatchObject({ status: 200, broke: undefined });
      expect(json.body).toContain(answerText);
      const stream = await hear(upstream, "normal", true, { path });
      expect(stream).toMatchObject({ status: 200, broke: undefined });
      const words = [...stream.body.matchAll(/"(?:content|delta|text)":"( ?[^"]+)"/g)].map(([, word]) => word);
      expect(words.slice(0, answerWords.length).join("")).toBe(answerText);
      expect(stream.body).toMatch(/_tokens":60/);
      expect(stream.body.endsWith("data: [DONE]\n\n")).toBe(path !== "/responses");
    },
  );

  it.each([
    ["closed-before-head", undefined, "UND_ERR_SOCKET"],
    ["reset-before-head", undefined, "ECONNRESET"],
    ["closed-in-head", undefined, "UND_ERR_SOCKET"],
    ["reset-in-head", undefined, "ECONNRESET"],
    ["closed-between-events", 200, "UND_ERR_SOCKET"],
    ["reset-between-events", 200, "ECONNRESET"],
    ["closed-mid-event", 200, "UND_ERR_SOCKET"],
    ["reset-mid-event", 200, "ECONNRESET"],
    ["silent", undefined, "silence"],
    ["silent-after-head", 200, "silence"],
    ["stalling", 200, "silence"],
  ] as const)("breaks a stream and a JSON answer: %s", async (model, status, broke) => {
    const upstream = await start();
    for (const stream of [true, false]) {
      const heard = await hear(upstream, model, stream);
      expect(heard.status).toBe(status);
      expect(heard.broke).toMatch(broke === "ECONNRESET" ? /ECONNRESET|UND_ERR_SOCKET/ : broke);
    }
  });

  it("resets and closes differ on the wire", async () => {
    const upstream = await start();
    const ends = { close: [] as string[], reset: [] as string[] };
    for (const how of ["close", "reset"] as const) {
      const socket = connect(upstream.port, "127.0.0.1");
      socket.on("error", (error: NodeJS.ErrnoException) => ends[how].push(error.code ?? ""));
      socket.on("end", () => ends[how].push("end")).resume();
      const body = JSON.stringify({ model: how === "close" ? "closed-mid-event" : "reset-mid-event", stream: true });
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      await new Promise((resolve) => socket.once("close", resolve));
    }
    expect(ends).toEqual({ close: ["end"], reset: ["ECONNRESET"] });
  });

  it.each([
    "ends-unfinished",
    "malformed-event",
    "error-first",
    "error-later",
    "error-beside-choices",
    "page-for-people",
  ] as const)("says what is wrong in a way that HTTP finds right: %s", async (model) => {
    const upstream = await start();
    for (const stream of [true, false]) expect(await hear(upstream, model, stream)).toMatchObject({ broke: undefined });
  });

  it("ends an event in its middle, or between two", async () => {
    const upstream = await start();
    expect((await hear(upstream, "closed-between-events", true)).body.endsWith("\n\n")).toBe(true);
    const { body } = await hear(upstream, "closed-mid-event", true);
    expect(body.endsWith("\n")).toBe(false);
    expect(body.split("\n\n")).toHaveLength(1 + 40 + 1); // role, words, and the half
  });

  it("sends bytes that no serialiser would, and compressed ones that nobody asked for", async () => {
    const upstream = await start();
    expect((await hear(upstream, "odd-json", false)).body).toBe(oddAnswer);
    const { body } = await request(`${upstream.baseUrl}/chat/completions`, {
      method: "POST",
      body: '{"model":"compressed"}',
    });
    expect(gunzipSync(Buffer.from(await body.arrayBuffer())).toString()).toContain(answerText);
  });

  it("counts attempts for each model, so that a fault can pass", async () => {
    const upstream = await start();
    upstream.behaveFor("a", inTurn(refusing(500), refusing(503), answering()));
    const statuses = async (model: string): Promise<unknown> => (await hear(upstream, model, false)).status;
    expect([await statuses("a"), await statuses("b"), await statuses("a"), await statuses("a")]).toEqual([
      500, 200, 503, 200,
    ]);
    upstream.forget();
    expect(await statuses("a")).toBe(500);
    upstream.behave(until(100, refusing(503), answering()));
    expect(await statuses("c")).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await statuses("c")).toBe(200);
  });

  it("notes the request to the byte, also one in chunks", async () => {
    const upstream = await start();
    const body = '{ "model":"normal", "temperature":1.0, "caf\\u00e9":[2.0] }';
    async function* pieces(): AsyncGenerator<string> {
      yield body.slice(0, 9);
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield body.slice(9);
    }
    for (const sent of [body, Readable.from(pieces())]) {
      const answer = await request(`${upstream.baseUrl}/chat/completions?x=1`, {
        method: "POST",
        body: sent,
        headers: { "X-Own": "a" },
      });
      await answer.body.dump();
    }
    expect(upstream.calls.map((call) => call.body.toString())).toEqual([body, body]);
    expect(upstream.calls[1]).toMatchObject({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { "x-own": "a" },
    });
    expect(upstream.calls[1]?.rawHeaders).toContainEqual(["X-Own", "a"]);
  });

  it.each(["silent", "stalling", "paced"] as const)("notes when the client leaves amid %s", async (model) => {
    const upstream = await start();
    const leaving = new AbortController();
    const asked = request(`${upstream.baseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model, stream: true }),
      signal: leaving.signal,
    }).then(({ body }) => body.text());
    const call = await upstream.call(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const leftAt = performance.now();
    leaving.abort();
    await expect(asked).rejects.toThrow(/abort/i);
    expect((await call.left) - leftAt).toBeLessThan(500);
    await hear(upstream, "normal", false);
    expect(upstream.calls[1]?.leftAt).toBeUndefined();
  });

  it("lists its models, all behaviours unless told, and answers other pages as the test says", async () => {
    const upstream = await start({ pages: { "GET /api/version": (_, reply) => reply.send(200, '{"version":"0"}') } });
    const get = async (path: string): Promise<unknown> => (await request(`${upstream.origin}${path}`)).body.json();
    const { data } = (await get("/v1/models")) as { data: { id: BehaviourName }[] };
    expect(data.map(({ id }) => id)).toEqual(Object.keys(behaviours));
    expect(await get("/api/version")).toEqual({ version: "0" });
    expect(await get("/nothing")).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(upstream.calls).toEqual([]);
  });

  it("ends every answer but those of silence", async () => {
    const upstream = await start();
    const silent = new Set<string>(["silent", "silent-after-head", "only-comments", "stalling"]);
    for (const model of Object.keys(behaviours).filter((name) => !silent.has(name)))
      expect([model, (await hear(upstream, model, true, { patienceMs: 5_000 })).broke]).not.toContain("silence");
    expect((await hear(upstream, "normal", false)).body).toContain(answerText);
  });
});
