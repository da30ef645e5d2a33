/** What an adversary sends to make proxy and service disagree on where a request ends, or what it says. */
import { afterEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { HttpProxy } from "../../../tee-bot/expose/http-proxy.ts";
import { until } from "../../support/postern.ts";
import { publicHost, startPublicName, type PublicName } from "../support/public-name.ts";
import { RawHttp2 } from "../support/raw-http2.ts";
import { startRawService, type RawService } from "../support/raw-service.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** A service that answers each head it sees, and closes. */
async function expose(): Promise<{ service: RawService; name: PublicName; received: () => string }> {
  const service = stack.use(
    await startRawService(({ socket }, text) => {
      if (text.includes("\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    }),
  );
  const proxy = new HttpProxy({ origin: service.origin, log: silentLog });
  stack.defer(() => proxy.close());
  const name = stack.use(await startPublicName(proxy));
  return {
    service,
    name,
    received: () => service.connections.map((connection) => connection.received()).join("\n---\n"),
  };
}

const close = "connection: close\r\n";

describe("over HTTP/1.1", () => {
  const refused: [what: string, text: string][] = [
    [
      "both a length and chunks",
      `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n`,
    ],
    ["two lengths", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde`],
    ["a length with a sign", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +4\r\n\r\nabcd`],
    ["a length in hexadecimal", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x4\r\n\r\nabcd`],
    ["a negative length", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n`],
    ["a list of lengths", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4, 4\r\n\r\nabcd`],
    ["a coding that is no coding", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["chunked not last", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    [
      "another coding before chunked",
      `POST / HTTP/1.1\r\nhost: a\r\n${close}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      "chunked twice",
      `POST / HTTP/1.1\r\nhost: a\r\n${close}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["a space before the colon", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n`],
    ["a header that begins with a space", `GET / HTTP/1.1\r\n x: 1\r\nhost: a\r\n\r\n`],
    ["a bare line feed in a header", `GET / HTTP/1.1\r\nhost: a\r\nx: 1\rtransfer-encoding: chunked\r\n\r\n`],
    ["a NUL in a header", `GET / HTTP/1.1\r\nhost: a\r\nx: 1\u00002\r\n\r\n`],
    ["no host", `GET / HTTP/1.1\r\n\r\n`],
    ["a tab in the path", `GET /a\tb HTTP/1.1\r\nhost: a\r\n\r\n`],
    ["an asterisk", `OPTIONS * HTTP/1.1\r\nhost: a\r\n${close}\r\n`],
    ["another scheme", `GET gopher://elsewhere.test/ HTTP/1.1\r\nhost: a\r\n${close}\r\n`],
    ["a version of its own", `GET / HTTP/9.9\r\nhost: a\r\n\r\n`],
    ["HTTP/2 in the clear", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ];
  it.each(refused)("a request with %s is refused and asks nothing of the service", async (_, text) => {
    const { name, service } = await expose();
    const answer = await name.exchange(text);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer.match(/^HTTP\/1.1 /gm)).toHaveLength(1);
    expect(service.connections).toHaveLength(0);
  });

  it("CONNECT opens a tunnel to nowhere", async () => {
    const { name, service } = await expose();
    expect(await name.exchange(`CONNECT ${service.origin.slice(7)} HTTP/1.1\r\nhost: a\r\n\r\n`)).toBe("");
    expect(service.connections).toHaveLength(0);
  });

  it("a chunk's size that overflows is refused, and the service never takes the request for whole", async () => {
    const { name, received } = await expose();
    const head = `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`;
    await name.exchange(`${head}fffffffffffffffff\r\nabc\r\n0\r\n\r\n`);
    expect(received()).not.toMatch(/0\r\n\r\n$/);
  });

  it.each(["//elsewhere.test/x", "/a//b/../c", "/\\x", "/?q=http://elsewhere.test", "/%0d%0ahost:%20b", "/a#b"])(
    "the path %s reaches the service as it is",
    async (path) => {
      const { name, received } = await expose();
      const sent = Buffer.from(path).toString("latin1");
      await name.exchange(`GET ${sent} HTTP/1.1\r\nhost: a\r\n${close}\r\n`);
      expect(received().split("\r\n")[0]).toBe(`GET ${sent} HTTP/1.1`);
    },
  );

  it("a whole URL names the host and never the server that is asked", async () => {
    const elsewhere = stack.use(await startRawService(() => {}));
    const { name, received } = await expose();
    await name.exchange(`GET ${elsewhere.origin}/x?y HTTP/1.1\r\nhost: a\r\n${close}\r\n`);
    expect(received()).toMatch(/^GET \/x\?y HTTP\/1.1\r\n/);
    expect(received()).toContain(`host: ${elsewhere.origin.slice(7)}\r\n`);
    expect(received().match(/^host:/gim)).toHaveLength(1);
    expect(elsewhere.connections).toHaveLength(0);
  });

  it("two requests at once are answered in order, and none is hidden in the other", async () => {
    const { name, service } = await expose();
    const body = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
    const answer = await name.exchange(
      `POST /first HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}` +
        `GET /second HTTP/1.1\r\nhost: a\r\n${close}\r\n`,
    );
    expect(answer.match(/HTTP\/1.1 200 /g)).toHaveLength(2);
    expect(service.connections.map((one) => one.received().split(" ")[1])).toEqual(["/first", "/second"]);
  });
});

describe("over HTTP/2", () => {
  const base: [string, string][] = [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", publicHost],
    [":path", "/"],
  ];
  const changed = (name: string, value: string): [string, string][] =>
    base.map(([key, before]) => [key, key === name ? value : before]);

  const refused: [what: string, fields: [string, string][]][] = [
    ["a name in capitals", [...base, ["X-Y", "1"]]],
    ["transfer-encoding", [...base, ["transfer-encoding", "chunked"]]],
    ["connection", [...base, ["connection", "x-own"]]],
    ["a line break in the path", changed(":path", "/ HTTP/1.1\r\nhost: b\r\n\r\n")],
    ["a space in the path", changed(":path", "/ HTTP/1.1")],
    ["no path", changed(":path", "")],
    ["a line break in the method", changed(":method", "GET / HTTP/1.1\r\nhost: b\r\n\r\nGET")],
    ["a space in the method", changed(":method", "GET /hidden")],
    ["a line break in the authority", changed(":authority", "a\r\nx: y")],
    ["two paths", [...base, [":path", "/other"]]],
    ["a length that lies", [...base, ["content-length", "5"]]],
  ];
  it.each(refused)("a request with %s is refused and asks nothing of the service", async (_, fields) => {
    const { name, service } = await expose();
    const raw = new RawHttp2(await name.dial("h2"));
    raw.headers(1, fields, { end: true });
    await until(() => raw.seen(1).reset || /"status":400/.test(raw.seen(1).body), 5_000, "it is refused");
    expect(service.connections).toHaveLength(0);
  });

  const dropped: [what: string, name: string, value: string][] = [
    ["a line break in its value", "x", "1\r\ntransfer-encoding: chunked"],
    ["a line feed in its value", "x", "1\nhost: b"],
    ["a NUL in its value", "x", "1\u00002"],
    ["a line break in its name", "x\r\ny", "1"],
    ["a colon in its name", "x:y", "1"],
  ];
  it.each(dropped)("a header with %s does not reach the service", async (_, field, value) => {
    const { name, received } = await expose();
    const raw = new RawHttp2(await name.dial("h2"));
    raw.headers(1, [...base, [field, value], ["x-after", "1"]], { end: true });
    await until(() => raw.seen(1).headers || raw.seen(1).reset, 5_000, "it is answered");
    expect(received()).not.toMatch(/^(x:|y|transfer-encoding|host: b)/im);
    expect(received().match(/^x-after: 1\r$/gm) ?? []).toHaveLength(received() === "" ? 0 : 1);
  });

  it("CONNECT opens no tunnel", async () => {
    const { name, service } = await expose();
    const raw = new RawHttp2(await name.dial("h2"));
    raw.headers(1, [
      [":method", "CONNECT"],
      [":authority", service.origin.slice(7)],
    ]);
    await until(() => raw.seen(1).headers || raw.seen(1).reset, 5_000, "it is refused");
    expect(service.connections).toHaveLength(0);
  });

  it.each(["http://elsewhere.test/x", "ftp://elsewhere.test/x"])(
    "the path %s never names another server",
    async (path) => {
      const { name, received } = await expose();
      const raw = new RawHttp2(await name.dial("h2"));
      raw.headers(1, changed(":path", path), { end: true });
      await until(() => raw.seen(1).headers || raw.seen(1).reset, 5_000, "it is answered");
      expect(received()).not.toContain("://");
    },
  );

  it("the name in :authority reaches the service, not a Host beside it", async () => {
    const { name, received } = await expose();
    const raw = new RawHttp2(await name.dial("h2"));
    raw.headers(1, [...base, ["host", "b.test"]], { end: true });
    await until(() => raw.seen(1).headers, 5_000, "it is answered");
    expect(received()).toContain(`host: ${publicHost}\r\n`);
    expect(received()).not.toContain("b.test");
  });
});
