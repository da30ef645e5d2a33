/** Requests that no honest client sends. Each gets one clear refusal or its one answer; nothing else reaches a provider. */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { answerText } from "../../../support/upstream/content.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { faultsOf } from "../conformance/shapes.ts";
import { publicHost, startPublicName, type PublicName } from "../../support/public-name.ts";

const stack = new AsyncDisposableStack();
let upstream: Upstream;
let gateway: TestGateway;
let name: PublicName;
beforeAll(async () => {
  upstream = stack.use(await startUpstream());
  const settings = { keys: { public: "off" as const }, limits: { bodyMiB: 4 } };
  gateway = stack.use(await startGateway({ providers: { main: upstream }, settings }));
  name = stack.use(await startPublicName(gateway.gateway.handler("public")));
});
afterAll(() => stack.disposeAsync());
beforeEach(() => upstream.forget());

const timeoutMs = 10_000;

/** Writes bytes as they are, and resolves to all that is answered until the connection ends, in whatever way. */
async function exchangeOver(socket: Socket, text: string): Promise<string> {
  let answer = "";
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.setEncoding("latin1").on("data", (part: string) => (answer += part));
  const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  socket.write(text, "latin1");
  await closed;
  return answer;
}

const surfaces = [
  [
    "the port of this machine",
    "127.0.0.1",
    (text: string) => exchangeOver(connect(Number(new URL(gateway.origin).port), "127.0.0.1"), text),
  ],
  ["the public name", publicHost, async (text: string) => exchangeOver(await name.dial(), text)],
] as const;

const body = JSON.stringify({ model: "normal", messages: [] });
const smuggled = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}";
const statusesOf = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

describe.each(surfaces)("at %s", (_, host, exchange) => {
  const post = (headers: string, sent: string): Promise<string> =>
    exchange(`POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\n${headers}connection: close\r\n\r\n${sent}`);
  const sized = (text: string): Promise<string> => post(`content-length: ${text.length}\r\n`, text);
  const stillWell = async (): Promise<void> => expect(await sized(body)).toContain(answerText.slice(0, 40));

  it.each<[string, string, string]>([
    ["both lengths", "content-length: 5\r\ntransfer-encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
    [
      "both lengths, the other way round",
      "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
      `0\r\n\r\n${smuggled}`,
    ],
    ["two lengths", "content-length: 5\r\ncontent-length: 6\r\n", "{}   "],
    ["a length that is none", "content-length: 0x5\r\n", "{}   "],
    ["a negative length", "content-length: -5\r\n", "{}   "],
    ["a length of a list", "content-length: 5, 5\r\n", "{}   "],
    ["a coding twice", "transfer-encoding: chunked, chunked\r\n", `0\r\n\r\n${smuggled}`],
    ["an unknown coding", "transfer-encoding: xchunked\r\n", `0\r\n\r\n${smuggled}`],
    ["a coding behind a space", "transfer-encoding : chunked\r\n", `0\r\n\r\n${smuggled}`],
    ["a folded header", "x-a: b\r\n transfer-encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
    ["a chunk's length that is none", "transfer-encoding: chunked\r\n", `zz\r\n{}\r\n0\r\n\r\n`],
    ["a chunk longer than it says", "transfer-encoding: chunked\r\n", `1\r\n{}\r\n0\r\n\r\n`],
    ["a NUL in a header", "x-a: b\0c\r\ncontent-length: 2\r\n", "{}"],
    ["a bare line feed", "x-a: b\ncontent-length: 2\r\n", "{}"],
  ])("a request with %s is refused once, and carries no other one in", async (_name, headers, sent) => {
    const answer = await post(headers, sent);
    const statuses = statusesOf(answer);
    expect(statuses.length).toBeLessThanOrEqual(1);
    for (const status of statuses) expect(status).toBeGreaterThanOrEqual(400);
    expect(upstream.calls).toEqual([]);
    await stillWell();
  });

  it("the extension of a chunk is skipped, and so is a trailer", async () => {
    const chunks = `${body.length.toString(16)};a=b;c="d"\r\n${body}\r\n0\r\nx-trailer: content-length: 9\r\n\r\n`;
    const answer = await post("transfer-encoding: chunked\r\n", chunks);
    expect(answer).toContain(answerText.slice(0, 40));
    expect(upstream.calls.map((call) => call.body.toString())).toEqual([body]);
    expect(upstream.calls[0]?.headers["x-trailer"]).toBeUndefined();
  });

  it("headers without end are refused", async () => {
    const many = Array.from({ length: 5_000 }, (_each, index) => `x-${index}: y\r\n`).join("");
    for (const headers of [`x-long: ${"y".repeat(64 * 1024)}\r\n`, many]) {
      const answer = await post(`${headers}content-length: 2\r\n`, "{}");
      expect(answer).toMatch(/^(HTTP\/1\.1 431 |$)/); // the end of the connection may overtake it
    }
    expect(upstream.calls).toEqual([]);
    await stillWell();
  });

  it.each<[string, string]>([
    ["a NUL", '{"model":"nor\0mal"}'],
    ["100,000 lists in each other, unclosed", `{"model":"normal","x":${"[".repeat(100_000)}`],
    ["100,000 objects in each other, unclosed", '{"a":'.repeat(100_000)],
    ["a model's name of a megabyte", `{"model":"${"m".repeat(1 << 20)}"}`],
    ["the name of a model given twice", '{"model":"normal","mod\\u0065l":"silent"}'],
    ["a model that is an object", '{"model":{"toString":"normal"}}'],
    ["the prototype of an object", '{"__proto__":{"model":"normal"}}'],
    ["bytes that are no UTF-8 around it", '\xff\xfe{"model":"normal"}'],
    ["a stream that is a text", '{"model":"normal","stream":"yes"}'],
    ["one text after another", `${body}${body}`],
    ["a comment", `/* a */ ${body}`],
    ["half a surrogate as the name", '{"model":"\\ud800"}'],
  ])("a body with %s is refused in OpenAI's form", async (_name, sent) => {
    const answer = await sized(sent);
    const [status] = statusesOf(answer);
    expect([400, 404]).toContain(status);
    expect(faultsOf("error", JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)))).toEqual([]);
    expect(answer.length).toBeLessThan(4_000); // what was sent is not said again
    expect(upstream.calls).toEqual([]);
    await stillWell();
  });

  it.each<[string, string]>([
    ["100,000 lists in each other", `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)},"model":"normal"}`],
    [
      "100,000 members",
      `{${Array.from({ length: 100_000 }, (_each, at) => `"k${at}":${at}`).join()},"model":"normal"}`,
    ],
    ["quotes and braces in texts", '{"a":"}]\\\\\\"{","b":["\\"model\\":\\"silent\\""],"model":"normal"}'],
    ["an empty name", '{"":0,"model":"normal"}'],
  ])("a body with %s is odd, but JSON, and reaches the provider unchanged", async (_name, sent) => {
    expect(await sized(sent)).toContain(answerText.slice(0, 40));
    expect(upstream.calls.map((call) => call.body.toString())).toEqual([sent]);
  });

  it.each(["GET", "PUT", "DELETE", "PATCH", "TRACE"])("%s of a call is refused", async (method) => {
    const answer = await exchange(
      `${method} /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer.toLowerCase()).toContain("\r\nallow: ");
  });

  it.each([
    "//v1/chat/completions",
    "/v1/../v1/chat/completions",
    "/v1/chat/completions/",
    "/v1/chat%2fcompletions",
    "/V1/chat/completions",
  ])("%s is not the path of a call", async (path) => {
    const answer = await exchange(
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    expect(statusesOf(answer)).toEqual([404]);
    expect(upstream.calls).toEqual([]);
  });

  it("a client that leaves amid its upload costs nothing", async () => {
    const partial = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1000\r\n\r\n{"model":`;
    const asked = exchange(`${partial}${"x".repeat(10)}`);
    const gone = await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 200, "waiting"))]);
    expect(gone).toBe("waiting");
    await stillWell();
    expect(upstream.calls).toHaveLength(1);
  });
});
