import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createTcpServer } from "../../../shared/dns/authority.ts";
import { connectTcp } from "../../../tee-bot/certificate/tcp-stream.ts";
import { startZoneServer } from "../../support/dns/zone-server.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import { freePort } from "../../support/postern.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function serverThat(does: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    does(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const ask = (address: string) => createTcpServer(address, connectTcp).ask("_acme-challenge.a.example.test", "TXT");

describe("a question to a name server over TCP", () => {
  it("is answered by the zone's own server", async () => {
    const store = new ZoneStore("example.test");
    store.add({ name: "_acme-challenge.a.example.test", type: "TXT", content: "value", ttl: 60 });
    const { address } = stack.use(await startZoneServer(store));
    const { records } = await ask(address);
    expect(records).toMatchObject([{ type: "TXT", content: "value" }]);
  });

  it("fails as an error of ours, and nothing else fails, when nobody answers as a name server does", async () => {
    const closed = `127.0.0.1:${await freePort()}`;
    const hangsUp = await serverThat((socket) => socket.destroy());
    const resets = await serverThat((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const garbage = await serverThat((socket) => socket.once("data", () => socket.end("HTTP/1.1 400\r\n\r\n")));
    for (const address of [closed, hangsUp, resets, garbage]) await expect(ask(address)).rejects.toThrow(address);
  });

  it("fails after three seconds when the server is silent", async () => {
    const silent = await serverThat((socket) => void socket.resume());
    const startedAt = performance.now();
    await expect(ask(silent)).rejects.toThrow("3 s");
    expect(performance.now() - startedAt).toBeLessThan(4_500);
  });
});
