import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { fetchMode, pollMessages } from "../../../../tee-bot/bot/receive/rest-look.ts";
import { listenOnce } from "../../../../tee-bot/bot/receive/websocket.ts";

const account = "+15550000001";
let stack: AsyncDisposableStack;
let stop: AbortController;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  stop = new AbortController();
  stack.defer(() => stop.abort());
});
afterEach(() => stack.disposeAsync());

async function serve(listener: RequestListener): Promise<{ server: Server; api: string }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, api: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function serveSockets(onSocket: (socket: WebSocket, path: string | undefined) => void): Promise<string> {
  const { server, api } = await serve((_, response) => void response.writeHead(404).end());
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { url }) => {
    stack.defer(() => socket.terminate());
    socket.on("error", () => {});
    onSocket(socket, url);
  });
  return api;
}

describe("a WebSocket of the REST server", () => {
  const listen = (api: string, options: { silenceMs?: number } = {}) => {
    const got: unknown[] = [];
    const onParams = (params: unknown): void => void got.push(params);
    return { got, ended: listenOnce({ api, account, onParams, onOpen: () => {}, ...options }, stop.signal) };
  };

  it("gives what comes, and goes on after something that is no JSON", async () => {
    let path: string | undefined;
    const api = await serveSockets((socket, url) => {
      path = url;
      for (const text of ['{"account":"a"}', "no JSON", '{"error":"x"}']) socket.send(text);
      socket.close();
    });
    const { got, ended } = listen(api);
    expect(await ended).toBe("closed with code 1005");
    expect(got).toEqual([{ account: "a" }, undefined, { error: "x" }]);
    expect(path).toBe("/v1/receive/%2B15550000001");
  });

  it("is given up when nothing is heard of it, not while it pings", async () => {
    let pings = 0;
    const api = await serveSockets((socket) => {
      const pinging = setInterval(() => (++pings > 5 ? clearInterval(pinging) : socket.ping()), 100);
      stack.defer(() => clearInterval(pinging));
    });
    expect(await listen(api, { silenceMs: 400 }).ended).toBe("nothing was heard, not even a ping");
    expect(pings).toBeGreaterThan(5);
  });

  it("ends when it is told to, when a message is too long, and when there is none", async () => {
    const api = await serveSockets((socket) => socket.send("x".repeat(1024 * 1024 + 1)));
    expect(await listen(api).ended).toContain("Max payload size exceeded");
    const none = await serve((_, response) => void response.writeHead(400).end());
    expect(await listen(none.api).ended).toContain("400");
    const quiet = listen(await serveSockets(() => setImmediate(() => stop.abort())));
    expect(await quiet.ended).toBe("stopped");
  });
});

describe("a look at the REST server", () => {
  const answering = async (status: number, body: string): Promise<string> =>
    (await serve((_, response) => void response.writeHead(status).end(body))).api;
  const mode = async (api: string): Promise<string> => fetchMode(api, fetch, stop.signal);

  it("tells its mode", async () => {
    expect(await mode(await answering(200, '{"versions":["v1","v2"],"mode":"json-rpc","version":"0.100"}'))).toBe(
      "json-rpc",
    );
  });

  it("shows the credential of its address as a header", async () => {
    let header: string | undefined;
    const { api } = await serve(({ headers }, response) => {
      header = headers.authorization;
      response.end('{"mode":"normal"}');
    });
    await mode(api.replace("//", "//user:p%40ss@"));
    expect(header).toBe(`Basic ${Buffer.from("user:p@ss").toString("base64")}`);
  });

  it.each([
    [404, "", "answered /v1/about with 404"],
    [200, "<html>", "is no JSON"],
    [200, "{}", "is no signal-cli-rest-api"],
    [200, `{"mode":"${"x".repeat(70_000)}"}`, "has over 65536 bytes"],
  ])("says what is wrong: %i %.10s", async (status, body, why) => {
    await expect(mode(await answering(status, body))).rejects.toThrow(why);
  });

  it("says that nothing is there, without the number of the account", async () => {
    const poll = pollMessages("http://127.0.0.1:1", account, fetch, stop.signal);
    await expect(poll).rejects.toThrow("did not answer /v1/receive: ");
    await expect(pollMessages(await answering(400, "x"), account, fetch, stop.signal)).rejects.toThrow(
      /^upstream-unavailable: The REST server answered \/v1\/receive with 400\.$/,
    );
    await expect(pollMessages(await answering(200, "{}"), account, fetch, stop.signal)).rejects.toThrow("than a list");
  });
});
