/** Answers and lists that no honest provider gives. The client gets a clear error or a right answer, and nobody crashes. */
import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import type { Behaviour } from "../../../support/upstream/behaviour.ts";
import { answering } from "../../../support/upstream/behaviours/complete.ts";
import { answerText, chatEvent, jsonAnswer } from "../../../support/upstream/content.ts";
import { startEndlessUpstream } from "../../../support/upstream/endless-upstream.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { faultsOf } from "../conformance/shapes.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** `well` is another provider's: the breaker of this one may open meanwhile. */
async function start(models: readonly string[] = ["m"]): Promise<{ upstream: Upstream; gateway: TestGateway }> {
  const upstream = stack.use(await startUpstream({ models }));
  return { upstream, gateway: await startBefore(upstream) };
}

async function startBefore(main: { readonly baseUrl: string }): Promise<TestGateway> {
  const settings = { timeouts: { firstTokenSeconds: { local: 1, cloud: 1 }, idleSeconds: 1 } };
  const well = stack.use(await startUpstream({ models: ["well"] }));
  return stack.use(await startGateway({ providers: { main, well }, settings }));
}

async function ask({ baseUrl }: TestGateway, model: string, stream: boolean) {
  const body = JSON.stringify({ model, stream, messages: [] });
  const answer = await request(`${baseUrl}/chat/completions`, { method: "POST", body });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

async function readRequests({ baseUrl }: TestGateway): Promise<readonly { failed: string | null }[]> {
  const { body } = await request(`${baseUrl}/requests`);
  return ((await body.json()) as { data: { failed: string | null }[] }).data;
}

const raw =
  (text: string, end: "close" | "reset" | "stay" = "close"): Behaviour =>
  async (_, reply) => {
    reply.raw(Buffer.from(text, "latin1"));
    await (end === "stay" ? reply.silence() : reply[end]());
  };
const ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const many = (count: number): string => Array.from({ length: count }, (_, at) => `x-${at}: y\r\n`).join("");

describe("a provider whose answer is garbage", () => {
  it.each<[string, Behaviour]>([
    ["no HTTP", raw("\0\x01\x02\x03 hello\r\n\r\n")],
    ["another protocol's greeting", raw("SSH-2.0-OpenSSH_9.9\r\n", "stay")],
    ["HTTP/2 without being asked", raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "stay")],
    ["both lengths", raw(`${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`)],
    ["two lengths", raw(`${ok}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`)],
    ["a chunk's length that is none", raw(`${ok}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`)],
    ["a chunk of 2^64 bytes", raw(`${ok}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n`)],
    ["17 KiB of headers", raw(`${ok}x-y: ${"z".repeat(17 << 10)}\r\ncontent-length: 2\r\n\r\n{}`)],
    ["headers without end", raw(`${ok}${"x-y: z\r\n".repeat(20_000)}`, "stay")],
    ["a header of a mebibyte", raw(`${ok}x-y: ${"z".repeat(1 << 20)}\r\ncontent-length: 2\r\n\r\n{}`)],
    ["5,000 headers", raw(`${ok}${many(5_000)}content-length: 2\r\n\r\n{}`)],
    [
      "a switch of protocols",
      raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "stay"),
    ],
    ["1,000 interim answers and no other", raw("HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000), "stay")],
    ["no content", raw("HTTP/1.1 204 No Content\r\n\r\n")],
    ["not modified", raw("HTTP/1.1 304 Not Modified\r\n\r\n")],
    [
      "a way elsewhere",
      raw("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://203.0.113.1/\r\ncontent-length: 0\r\n\r\n"),
    ],
    ["a status of 999", raw("HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}")],
    ["JSON that is no object", raw(`${ok}content-length: 4\r\n\r\n"no"`)],
    ["100,000 lists in each other", raw(`${ok}content-length: 100000\r\n\r\n${"[".repeat(100_000)}`)],
    ["nothing at all in 200", raw(`${ok}content-length: 0\r\n\r\n`)],
  ])("makes it a clear error, in both forms: %s", async (_, behaviour) => {
    const { upstream, gateway } = await start();
    upstream.behaveFor("m", behaviour);
    for (const stream of [false, true]) {
      const { status, headers, text } = await ask(gateway, "m", stream);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(headers["location"]).toBeUndefined();
      expect(faultsOf("error", JSON.parse(text))).toEqual([]);
    }
    expect((await ask(gateway, "well", false)).text).toContain(answerText);
  });

  it.each(["close", "reset"] as const)(
    "may end an answer of unknown length by a close, not by a reset: %s",
    async (end) => {
      const { upstream, gateway } = await start();
      // Longer than what is held until it is complete, so that its head is with the client already.
      const json = `{"choices":[],"x":"${"y".repeat(5 << 20)}"}`;
      upstream.behaveFor("m", async (_, reply) => {
        reply.raw(`${ok}connection: close\r\n\r\n${json}`);
        await reply.drain();
        await reply.wait(200);
        await reply[end]();
      });
      const asked = ask(gateway, "m", false);
      if (end === "close") expect((await asked).text).toBe(json);
      else await expect(asked).rejects.toThrow();
      const { failed } = (await readRequests(gateway))[0] ?? {};
      expect(failed).toBe(end === "close" ? null : "upstream");
    },
  );

  it("has what its headers say kept to itself: cookies, rules for browsers, another answer", async () => {
    const { upstream, gateway } = await start();
    upstream.behaveFor("m", (call, reply) =>
      reply.send(200, jsonAnswer(call), {
        "set-cookie": "a=b",
        "strict-transport-security": "max-age=1",
        "access-control-allow-origin": "https://evil.example",
        "x-request-id": "theirs",
        "x-postern-provider": "somebody else",
        "proxy-authenticate": "Basic",
        connection: "x-secret",
        "x-secret": "s",
      }),
    );
    const { status, headers } = await ask(gateway, "m", false);
    expect(status).toBe(200);
    for (const name of ["set-cookie", "strict-transport-security", "access-control-allow-origin", "x-secret"])
      expect(headers[name]).toBeUndefined();
    expect(headers["x-request-id"]).toMatch(/^req_/);
    expect(headers["x-postern-provider"]).toBe("main");
  });

  it.each([
    ["one event", "z"],
    ["comments", `: ${"z".repeat(1 << 16)}\n\n`],
    ["empty lines", "\n"],
  ])("does not fill the memory with %s that never ends, before a first word", async (_, text) => {
    const upstream = stack.use(await startEndlessUpstream(text));
    const gateway = await startBefore(upstream);
    await ask(gateway, "well", true); // so that everything is loaded
    const before = process.memoryUsage.rss();
    const { status } = await ask(gateway, "m", true);
    expect(status).toBeGreaterThanOrEqual(502);
    // Without a limit it would be more than a gigabyte a second.
    expect((process.memoryUsage.rss() - before) / (1 << 20)).toBeLessThan(96);
  });

  it("may send its stream byte by byte, and split where it hurts", async () => {
    const { upstream, gateway } = await start();
    upstream.behaveFor("m", async (call, reply) => {
      const text = `: a\r\n\r\n${chatEvent(call, { content: "caf\u00e9 \u{1f600}" })}${chatEvent(call, {}, "stop")}data: [DONE]\n\n`;
      reply.openStream();
      for (const byte of Buffer.from(text)) {
        reply.chunk(Buffer.from([byte]));
        if (byte === 0xc3 || byte === 0x0a) await reply.wait(1);
      }
      reply.lastChunk();
    });
    const { text } = await ask(gateway, "m", true);
    expect(text).toContain("caf\u00e9 \u{1f600}");
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(text).not.toContain('"error"');
  });
});

describe("a provider whose list of models is garbage", () => {
  const odd = [
    "__proto__",
    "constructor",
    "a\r\nx-injected: 1",
    "caf\u00e9 \u{1f600}",
    "a/b/c",
    "",
    "x".repeat(100_000),
    "main/m",
  ];

  it("has those listed that can be asked for, and each of them answers", async () => {
    const { gateway } = await start([...odd, "m", "m"]);
    const listed = (await (await request(`${gateway.baseUrl}/models`)).body.json()) as { data: { id: string }[] };
    expect(faultsOf("models", listed)).toEqual([]);
    const ids = listed.data.map(({ id }) => id);
    expect(ids.filter((id) => id === "m")).toHaveLength(1);
    expect(ids).toContain("a/b/c");
    for (const id of ids) {
      const { status, headers } = await ask(gateway, id, false);
      expect([id.slice(0, 50), status]).toEqual([id.slice(0, 50), 200]);
      expect(headers["x-injected"]).toBeUndefined();
      expect((await request(`${gateway.baseUrl}/models/${encodeURIComponent(id)}`)).statusCode).toBe(200);
    }
  });

  it.each<[string, Behaviour]>([
    ["no JSON", (_, reply) => reply.send(200, "<html>")],
    ["no list", (_, reply) => reply.send(200, '{"data":{"id":"m"}}')],
    ["things that are no models", (_, reply) => reply.send(200, '{"data":[null,1,"m",{"id":7},{"id":null},[]]}')],
    ["8 MiB", (_, reply) => reply.send(200, JSON.stringify({ data: [{ id: "m", x: "y".repeat(8 << 20) }] }))],
    [
      "endless",
      async (_, reply) => {
        reply.head(200, { "transfer-encoding": "chunked", "content-type": "application/json" });
        for (;;) {
          reply.chunk(`{"data":[${" ".repeat(1 << 16)}`);
          await reply.drain();
          await reply.wait(0);
        }
      },
    ],
    ["a refusal", (_, reply) => reply.send(401, "{}")],
    ["a way elsewhere", (_, reply) => reply.send(302, "", { location: "http://127.0.0.1:1/" })],
  ])("is out until it has a right one: %s", async (_, page) => {
    let isWell = false;
    const list = JSON.stringify({ data: [{ id: "m" }] });
    const bad = stack.use(
      await startUpstream({
        pages: { "GET /v1/models": (call, reply) => (isWell ? reply.send(200, list) : page(call, reply)) },
        behaviour: answering(),
      }),
    );
    const discovery = { ollama: "off", lmStudio: "off", everySeconds: 0.2 } as const;
    const gateway = stack.use(await startGateway({ providers: { main: bad }, settings: { discovery } }));
    expect((await ask(gateway, "m", false)).status).toBeGreaterThanOrEqual(404);
    isWell = true;
    await expect.poll(async () => (await ask(gateway, "m", false)).status, { timeout: 10_000 }).toBe(200);
  });
});
