import { once } from "node:events";
import { type IncomingMessage } from "node:http";
import { Agent } from "node:https";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../support/postern.ts";
import { exposeHttp, exposeRaw } from "../support/exposed.ts";
import { publicHost, readAnswer, type PublicName } from "../support/public-name.ts";
import { RawHttp2 } from "../support/raw-http2.ts";
import { answering } from "../support/raw-service.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

describe("the HTTP proxy, when the service fails,", () => {
  const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

  /** The first answer is a fault, all later ones are well; a fault must not poison what comes after it. */
  const faults: [what: string, fault: (connection: { socket: Socket }) => void, status: number][] = [
    ["closes instead of answering", ({ socket }) => socket.end(), 502],
    ["resets instead of answering", ({ socket }) => socket.resetAndDestroy(), 502],
    ["answers with garbage", ({ socket }) => socket.write("\u0000\u0001garbage\r\n\r\n"), 502],
    ["answers with a TLS alert", ({ socket }) => socket.end(Buffer.from("15030300020228", "hex")), 502],
    [
      "gives two lengths",
      ({ socket }) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok"),
      502,
    ],
    [
      "gives a length and chunks",
      ({ socket }) =>
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
      502,
    ],
    ["gives headers without end", ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(200 << 10)}`), 502],
    [
      "switches protocols unasked",
      ({ socket }) => socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
      502,
    ],
  ];
  it.each(faults)("and %s, answers with a problem and serves the next request", async (_, fault, status) => {
    let first = true;
    const well = answering(ok);
    const { name } = await exposeRaw(stack, (connection, received) => {
      if (!first) return well(connection, received);
      first = false;
      fault(connection);
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    stack.defer(() => agent.destroy());
    const failed = await name.ask("/", { agent });
    expect(failed.status).toBe(status);
    expect(failed.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(failed.body)).toMatchObject({ code: "upstream-unavailable" });
    expect((await name.ask("/", { agent })).body).toBe("ok");
  });

  it("and closes right after a whole answer, a visitor who reads slowly still gets all of it", async () => {
    const { name } = await exposeRaw(stack, ({ socket }, received) => {
      const length = Number(/\/(\d+)/.exec(received)?.[1]);
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${"x".repeat(length)}`);
    });
    const session = name.http2();
    stack.defer(() => session.destroy());
    const lengths = Array.from({ length: 16 }, (_, at) => 200_000 + 12_345 * at);
    const read = lengths.map(async (length) => {
      const stream = session.request({ ":path": `/${length}` });
      let bytes = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return bytes;
    });
    expect(await Promise.all(read)).toEqual(lengths);
  });

  const cuts: [what: string, text: string][] = [
    ["ends before the length it gave", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"],
    ["ends between chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
    ["ends within a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf"],
    ["sends a broken chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"],
  ];
  it.each(cuts)("and %s, breaks the answer off over either version", async (_, text) => {
    const { name } = await exposeRaw(stack, ({ socket }) => void socket.end(text));
    await expect(name.ask("/")).rejects.toThrow(/aborted|ECONNRESET|socket hang up/);
    const stream = name.http2().request({ ":path": "/" });
    stream.resume();
    const [error] = (await once(stream, "error")) as [Error];
    expect(error.message).toContain("NGHTTP2_INTERNAL_ERROR");
  });

  it("and resets an answer that only its end ends, breaks it off over either version", async () => {
    const { name } = await exposeRaw(stack, ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf");
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    await expect(name.ask("/")).rejects.toThrow(/aborted|ECONNRESET|socket hang up/);
    const stream = name.http2().request({ ":path": "/" });
    stream.resume();
    const [error] = (await once(stream, "error")) as [Error];
    expect(error.message).toContain("NGHTTP2_INTERNAL_ERROR");
  });

  it("and is not there, answers 502 to an upload too, and the connection lives on", async () => {
    const { service, name } = await exposeRaw(stack, () => {});
    await service[Symbol.asyncDispose]();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    stack.defer(() => agent.destroy());
    const body = Buffer.alloc(256 * 1024);
    for (let at = 0; at < 3; at++) expect((await name.ask("/", { method: "POST", body, agent })).status).toBe(502);
    const http2 = name.http2();
    for (let at = 0; at < 3; at++) {
      const stream = http2.request({ ":path": "/", ":method": "POST" });
      stream.resume().end(body);
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      expect(headers[":status"]).toBe(502);
    }
  });

  it.each(["h1", "h2"])(
    "and refuses an upload before it has it all, passes the whole refusal (%s)",
    async (version) => {
      const refusal = "too large ".repeat(100_000);
      const { name } = await exposeRaw(stack, ({ socket }) => {
        socket.pause();
        socket.end(
          `HTTP/1.1 413 Too Large\r\ncontent-length: ${refusal.length}\r\nconnection: close\r\n\r\n${refusal}`,
        );
      });
      if (version === "h1") {
        const sent = name.open({ method: "POST", path: "/", headers: { "transfer-encoding": "chunked" } });
        sent.on("error", () => {});
        const upload = setInterval(() => sent.write(Buffer.alloc(64 * 1024)), 1);
        const [response] = (await once(sent, "response")) as [IncomingMessage];
        expect(response.statusCode).toBe(413);
        expect((await readAnswer(response)).body).toHaveLength(refusal.length);
        clearInterval(upload);
        sent.destroy();
      } else {
        const stream = name.http2().request({ ":path": "/", ":method": "POST" });
        stream.on("error", () => {});
        const upload = setInterval(() => stream.write(Buffer.alloc(64 * 1024)), 1);
        const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
        expect(headers[":status"]).toBe(413);
        let bytes = 0;
        stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
        await once(stream, "end");
        clearInterval(upload);
        expect(bytes).toBe(refusal.length);
        stream.close();
      }
    },
  );

  it("and answers before the upload's end, lets the visitor's connection go on", async () => {
    const name = await exposeHttp(stack, (request, response) => {
      if (request.url === "/early") response.writeHead(401, { "content-length": 2 }).end("no");
      else response.end("ok");
    });
    const socket = await name.dial();
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    const half = Buffer.alloc(256 * 1024);
    socket.write(`POST /early HTTP/1.1\r\nhost: ${publicHost}\r\ncontent-length: ${2 * half.length}\r\n\r\n`);
    socket.write(half);
    await until(() => answer.endsWith("no"), 5_000, "the refusal is there");
    socket.write(half);
    socket.write(`GET / HTTP/1.1\r\nhost: ${publicHost}\r\n\r\n`);
    await until(() => /ok(\r\n0\r\n\r\n)?$/.test(answer), 5_000, "the next answer is there");
    expect(answer).toMatch(/^HTTP\/1.1 401 [^]*no[^]*HTTP\/1.1 200 /);
  });
});

describe("a visitor who leaves", () => {
  const cancelled = 8; // RFC 9113 §7
  const postHeaders = [
    [":method", "POST"],
    [":scheme", "https"],
    [":authority", publicHost],
    [":path", "/"],
  ] as const;

  it.each(["h1", "h2"])("ends the request upstream while it waits for the answer (%s)", async (version) => {
    const { name, service } = await exposeRaw(stack, () => {});
    const leave = startRequest(name, version);
    await until(() => (service.connections[0]?.received() ?? "").includes("\r\n\r\n"), 5_000, "the request is there");
    leave();
    await until(() => service.connections[0]?.socket.destroyed ?? false, 5_000, "the service's connection is closed");
  });

  it.each(["h1", "h2 reset", "h2 gone"])("in the midst of an upload never makes it look complete (%s)", async (how) => {
    let received = 0;
    let fate = "";
    const name = await exposeHttp(stack, (request) => {
      request.on("data", (chunk: Buffer) => (received += chunk.length));
      request.once("end", () => (fate ||= "complete"));
      request.once("aborted", () => (fate ||= "aborted"));
    });
    const half = Buffer.alloc(8 * 1024);
    let leave;
    if (how === "h1") leave = startRequest(name, "h1", half);
    else {
      const socket = await name.dial("h2");
      const raw = new RawHttp2(socket);
      raw.headers(1, postHeaders);
      raw.data(1, half);
      leave = (): void => (how === "h2 gone" ? void socket.destroy() : raw.reset(1, cancelled));
    }
    await until(() => received === half.length, 5_000, "the service has what was sent");
    leave();
    await until(() => fate !== "", 5_000, "the service notices");
    expect(fate).toBe("aborted");
  });

  function startRequest(name: PublicName, version: string, body?: Buffer): () => void {
    if (version === "h1") {
      const sent = name.open({
        method: body ? "POST" : "GET",
        headers: body ? { "transfer-encoding": "chunked" } : {},
      });
      sent.on("error", () => {});
      if (body) sent.write(body);
      else sent.end();
      return () => void sent.destroy();
    }
    const stream = name.http2().request({ ":path": "/", ":method": body ? "POST" : "GET" }, { endStream: !body });
    stream.on("error", () => {});
    if (body) stream.write(body);
    return () => stream.close(cancelled);
  }
});

describe("back-pressure through the proxy", () => {
  const limitBytes = 24 << 20; // kernel buffers of both connections included

  it("stops reading from the service while the visitor does not read", async () => {
    let written = 0;
    const name = await exposeHttp(stack, (_, response) => {
      const send = (): void => {
        while (written < 1 << 30 && response.write(block)) written += block.length;
        if (written < 1 << 30) response.once("drain", send);
      };
      send();
    });
    const sent = name.open({ path: "/" }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.pause();
    await quiet(() => written);
    expect(written).toBeLessThan(limitBytes);
    response.destroy();
  });

  it("stops reading from the visitor while the service does not read", async () => {
    const name = await exposeHttp(stack, (request) => void request.pause());
    const sent = name.open({ method: "POST", path: "/", headers: { "transfer-encoding": "chunked" } });
    sent.on("error", () => {});
    let written = 0;
    const send = (): void => {
      while (written < 1 << 30 && sent.write(block)) written += block.length;
      if (written < 1 << 30) sent.once("drain", send);
    };
    send();
    await quiet(() => written);
    expect(written).toBeLessThan(limitBytes);
    sent.destroy();
  });

  const block = Buffer.alloc(256 * 1024);
  /** Until a figure has stood still for a while. */
  async function quiet(figure: () => number): Promise<void> {
    for (let before = -1; before !== figure();) {
      before = figure();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
});
