import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { startPublicName } from "../../support/public-name.ts";
import { chat, startCalledGateway, type Answer, type CalledGateway } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function start(settings: object = {}): Promise<{ upstream: Upstream; gateway: CalledGateway }> {
  const upstream = stack.use(await startUpstream());
  return { upstream, gateway: await startCalledGateway(stack, { route: [upstream], settings }) };
}
const codeOf = ({ text }: Answer): unknown => (JSON.parse(text) as { error: { code: unknown } }).error.code;
const small = { limits: { bodyMiB: 1 } };

describe("the body of a call", () => {
  it("is taken up to the limit, and beyond it refused so that the client sees why", async () => {
    const { gateway, upstream } = await start(small);
    const frame = JSON.stringify(chat("m", { x: "" })).length;
    const fits = await gateway.ask(chat("m", { x: "y".repeat((1 << 20) - frame) }));
    expect(fits.status).toBe(200);
    expect(upstream.calls[0]?.body.length).toBe(1 << 20);
    const answer = await gateway.ask(chat("m", { x: "y".repeat((1 << 20) - frame + 1) }));
    expect(answer.status).toBe(413);
    expect(codeOf(answer)).toBe("body_too_large");
    expect(answer.headers["x-postern-failed"]).toBe("client");
    expect(answer.text).toContain("1 MiB");
    const huge = await gateway.ask(Buffer.alloc(40 << 20, 0x20));
    expect(huge.status).toBe(413);
    expect(upstream.calls).toHaveLength(1);
  });

  it("of unknown length is refused as soon as it passes the limit", async () => {
    const { gateway } = await start(small);
    const sent = httpRequest({
      port: gateway.port,
      host: "127.0.0.1",
      path: "/v1/chat/completions",
      method: "POST",
      agent: false,
    });
    const answered = once(sent, "response");
    sent.on("error", () => {});
    const piece = Buffer.alloc(1 << 20, 0x20);
    sent.write(piece);
    sent.write(piece);
    const [response] = (await answered) as [{ statusCode: number }];
    expect(response.statusCode).toBe(413);
    sent.destroy();
  });

  it("is refused over HTTP/2 in the same way, and the connection lives on", async () => {
    const { gateway } = await start(small);
    const name = stack.use(await startPublicName(gateway.handler("public")));
    const session = name.http2();
    for (const [body, status] of [
      [Buffer.alloc(5 << 20, 0x20), 413],
      [Buffer.from(JSON.stringify(chat("m"))), 200],
    ] as const) {
      const sent = session.request({ ":path": "/v1/chat/completions", ":method": "POST" });
      sent.on("error", () => {}).end(body);
      const [headers] = (await once(sent, "response")) as [Record<string, unknown>];
      expect(headers[":status"]).toBe(status);
      sent.resume();
      await once(sent, "close");
    }
    session.close();
  });

  it.each([
    ["text/plain", undefined, 415],
    ["multipart/form-data; boundary=x", undefined, 415],
    ["application/json", "gzip", 415],
    ["application/json", "identity", 200],
    ["application/json; charset=utf-8", undefined, 200],
    ["application/vnd.api+json", undefined, 200],
    ["application/x-www-form-urlencoded", undefined, 200],
  ])("of type %s and encoding %s gets status %i", async (type, encoding, status) => {
    const { gateway } = await start();
    const text = JSON.stringify(chat("m"));
    const answer = await gateway.ask(encoding === "gzip" ? gzipSync(text) : text, {
      headers: { "content-type": type, ...(encoding !== undefined && { "content-encoding": encoding }) },
    });
    expect(answer.status).toBe(status);
    if (status === 415) expect(codeOf(answer)).toBe("unsupported_media_type");
  });

  it("of no type is taken as JSON", async () => {
    const { gateway } = await start();
    const body = JSON.stringify(chat("m"));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
    expect(await exchange(gateway.port, head + body)).toMatch(/^HTTP\/1.1 200 /);
  });

  it("with its mistakes is told of in OpenAI's form, with the field", async () => {
    const { gateway, upstream } = await start();
    const answer = await gateway.ask('{"messages":[]}');
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({
      error: {
        message: expect.any(String) as string,
        type: "invalid_request_error",
        param: "model",
        code: "invalid_request",
      },
    });
    expect(answer.headers["x-request-id"]).toMatch(/^req_/);
    expect(gateway.ends).toMatchObject([{ status: 400, error: "invalid_request", failed: "client" }]);
    expect(upstream.calls).toHaveLength(0);
  });

  it.each([
    ["deep nesting", `{"model":"m","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 200],
    ["a long model name", `{"model":"${"m".repeat(1 << 20)}"}`, 400],
    ["a NUL in its JSON", '{"model":"m"\u0000}', 400],
    ["a NUL in its model", '{"model":"m\\u0000\\r\\nx-a: b"}', 200],
    ["a prototype", '{"__proto__":{"model":"x"},"model":"m"}', 200],
    ["a byte order mark", '\ufeff{"model":"m"}', 400],
  ])("with %s neither crashes nor hangs", async (_, body, status) => {
    const { gateway } = await start();
    expect((await gateway.ask(body)).status).toBe(status);
    expect((await gateway.ask(chat("m"))).status).toBe(200);
  });

  it("that breaks off is nobody's call", async () => {
    const { gateway, upstream } = await start();
    const socket = connect(gateway.port, "127.0.0.1");
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await expect.poll(() => gateway.ends).toMatchObject([{ status: 499, error: "client_closed_request" }]);
    expect(upstream.calls).toHaveLength(0);
  });

  it("that stands still is given up after a while, and the client told", async () => {
    const { gateway } = await start({ timeouts: { clientSeconds: 0.3 } });
    const answer = await exchange(
      gateway.port,
      "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{",
      1_500,
    );
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain("request_timeout");
  });
});

describe("a call without a key where one is asked for", () => {
  it("is refused before its body is here", async () => {
    const { ApiError } = await import("../../../../tee-bot/gateway/api/api-error.ts");
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, {
      route: [upstream],
      access: {
        authenticate: () => {
          throw new ApiError("invalid_api_key", "There is no such key.");
        },
      },
    });
    const sent = httpRequest({
      port: gateway.port,
      host: "127.0.0.1",
      path: "/v1/chat/completions",
      method: "POST",
      agent: false,
    });
    sent.on("error", () => {}).setHeader("content-length", "1000000");
    sent.write("{");
    const [response] = (await once(sent, "response")) as [{ statusCode: number; headers: Record<string, string> }];
    expect(response.statusCode).toBe(401);
    expect(response.headers["www-authenticate"]).toBe("Bearer");
    expect(gateway.ends).toEqual([]);
    sent.destroy();
  });
});

/** Sends this text; all that is answered until the end, or until so long after. */
async function exchange(port: number, text: string, withinMs = 5_000): Promise<string> {
  const socket: Socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (part: string) => (answer += part));
  socket.on("error", () => {});
  socket.write(text, "latin1");
  const timer = setTimeout(() => socket.destroy(), withinMs);
  await once(socket, "close");
  clearTimeout(timer);
  return answer;
}
