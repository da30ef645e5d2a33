import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { startService } from "../../support/service.ts";
import { expose, exposeHttp, exposeRaw } from "../support/exposed.ts";
import { publicHost, readAnswer } from "../support/public-name.ts";
import { answering } from "../support/raw-service.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe("the HTTP proxy", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE"])(
    "passes %s without a body",
    async (method) => {
      const name = await exposeHttp(stack, (request, response) => response.end(`${request.method} ${request.url}`));
      expect(await name.ask("/a/b?c=d%20e", { method })).toMatchObject({
        status: 200,
        body: `${method} /a/b?c=d%20e`,
      });
    },
  );

  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])(
    "passes the body of %s, its length known or not",
    async (method) => {
      const name = await exposeHttp(
        stack,
        (request, response) =>
          void bodyOf(request).then((body) => response.end(`${request.method} ${body.toString()}`)),
      );
      const known = await name.ask("/", { method, body: "a body", headers: { "content-length": 6 } });
      expect(known.body).toBe(`${method} a body`);
      const unknown = await name.ask("/", { method, body: "a body", headers: { "transfer-encoding": "chunked" } });
      expect(unknown.body).toBe(`${method} a body`);
    },
  );

  it("passes an upload that asks first whether it may (Expect: 100-continue, as curl does)", async () => {
    const name = await exposeHttp(
      stack,
      (request, response) => void bodyOf(request).then((body) => response.end(body)),
    );
    const sent = name.open({ method: "POST", path: "/", headers: { expect: "100-continue", "content-length": 4 } });
    sent.flushHeaders();
    await once(sent, "continue");
    sent.end("body");
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(await readAnswer(response)).toMatchObject({ status: 200, body: "body" });
  });

  it("passes 32 MiB up and down unchanged", async () => {
    const service = stack.use(await startService());
    const name = await expose(stack, service.url);
    const body = Buffer.alloc(32 << 20, "up and down ");
    const answer = await name.ask("/upload", { method: "POST", body });
    expect(answer.body).toBe(createHash("sha256").update(body).digest("hex"));
    const sent = name.open({ path: "/bytes?mib=32" }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(32 << 20);
  });

  it("passes the length of what a HEAD request asks about, without the body", async () => {
    const name = await exposeHttp(stack, (_, response) => response.setHeader("content-length", 1234).end());
    const answer = await name.ask("/", { method: "HEAD" });
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers["content-length"]).toBe("1234");
  });

  it.each([204, 304, 404, 500, 599])("passes an answer of status %i", async (status) => {
    const name = await exposeHttp(stack, (_, response) => response.writeHead(status, { etag: '"1"' }).end());
    const answer = await name.ask("/");
    expect(answer).toMatchObject({ status, body: "" });
    expect(answer.headers.etag).toBe('"1"');
  });

  it("leaves interim answers out and passes the final one", async () => {
    const { name } = await exposeRaw(
      stack,
      answering(
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
          "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
      ),
    );
    expect(await name.ask("/")).toMatchObject({ status: 200, body: "ok" });
  });

  it("passes header values beyond ASCII as the bytes they are", async () => {
    const bytes = Buffer.from("日本 é", "utf8").toString("latin1");
    const { name, service } = await exposeRaw(
      stack,
      answering(`HTTP/1.1 200 OK\r\nx-name: ${bytes}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
    );
    const answer = await name.exchange(
      `GET / HTTP/1.1\r\nhost: ${publicHost}\r\nx-name: ${bytes}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toContain(`x-name: ${bytes}\r\n`);
    expect(service.connections[0]?.received()).toContain(`x-name: ${bytes}\r\n`);
  });

  it("passes headers of 24 KiB both ways", async () => {
    const long = "x".repeat(24 * 1024);
    const { name, service } = await exposeRaw(
      stack,
      answering(`HTTP/1.1 200 OK\r\nx-long: ${long}\r\ncontent-length: 0\r\n\r\n`),
    );
    const answer = await name.ask("/", { headers: { "x-long": long }, maxHeaderSize: 64 * 1024 });
    expect(answer.headers["x-long"]).toHaveLength(long.length);
    expect(service.connections[0]?.received()).toContain(long);
  });

  it("answers 431 to headers beyond its limit without asking the service", async () => {
    const { name, service } = await exposeRaw(stack, answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    const answer = await name.exchange(`GET / HTTP/1.1\r\nhost: a\r\nx-long: ${"x".repeat(40 * 1024)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 /);
    expect(service.connections).toHaveLength(0);
  });

  it("passes over HTTP/2 what a service says twice, and leaves trailers out", async () => {
    const { name } = await exposeRaw(
      stack,
      answering(
        "HTTP/1.1 200 OK\r\ndate: a\r\ndate: b\r\ncontent-type: text/plain\r\ncontent-type: text/html\r\n" +
          "set-cookie: a=1\r\nset-cookie: b=2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n",
      ),
    );
    const stream = name.http2().request({ ":path": "/" });
    const [headers] = (await once(stream, "response")) as [Record<string, string | string[]>];
    expect(headers[":status"]).toBe(200);
    expect(headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    const [body] = (await once(stream, "data")) as [Buffer];
    expect(body.toString()).toBe("ok");
  });

  it("answers 502 over HTTP/2 to a status that it cannot carry, and passes it over HTTP/1.1", async () => {
    const { name } = await exposeRaw(stack, answering("HTTP/1.1 799 Odd\r\ncontent-length: 0\r\n\r\n"));
    const stream = name.http2().request({ ":path": "/" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(502);
    expect((await name.ask("/")).status).toBe(799);
  });

  it("uses one connection for requests that follow each other", async () => {
    const { name, service } = await exposeRaw(stack, answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
    for (let at = 0; at < 5; at++) expect((await name.ask("/")).body).toBe("ok");
    expect(service.connections).toHaveLength(1);
  });

  it("adds no listener that stays on a visitor's connection", async () => {
    const name = await exposeHttp(stack, (_, response) => response.end("ok"));
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    const socket = await name.dial();
    for (let at = 0; at < 40; at++) {
      socket.write(`GET /${at} HTTP/1.1\r\nhost: ${publicHost}\r\n\r\n`);
      await once(socket, "data");
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});
