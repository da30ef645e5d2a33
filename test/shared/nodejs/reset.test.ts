import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { generateIdentityPem, identityOfPem } from "../../../shared/nodejs/identity-file.ts";
import { reset, resetThrough } from "../../../shared/nodejs/reset.ts";

async function pair(): Promise<{ near: Socket; far: Socket } & AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
  const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [[Socket], unknown];
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.destroy();
      far.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a reset is seen as one by the other end", async () => {
  await using sockets = await pair();
  const failed = once(sockets.far.resume(), "error");
  reset(sockets.near);
  expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
});

test("a socket whose end is on its way is closed by a reset", async () => {
  await using sockets = await pair();
  const errors: unknown[] = [];
  sockets.near.on("error", (error) => errors.push(error));
  const closed = once(sockets.near, "close");
  sockets.near.end();
  reset(sockets.near);
  await closed;
  expect(errors).toEqual([]);
});

test("a socket is closed by a reset when the end of the TLS on it is on its way", async () => {
  await using sockets = await pair();
  const { certificate, privateKeyPem } = await identityOfPem(generateIdentityPem(), Date.now());
  const secureContext = createSecureContext({ cert: certificate, key: privateKeyPem });
  const near = resetThrough(new TLSSocket(sockets.near, { isServer: true, secureContext }), sockets.near);
  const far = connectTls({ socket: sockets.far, rejectUnauthorized: false });
  await Promise.all([once(near, "secure"), once(far, "secureConnect")]);
  const errors: unknown[] = [];
  for (const socket of [near, sockets.near]) socket.on("error", (error) => errors.push(error));
  const closed = once(sockets.near, "close");
  near.end();
  reset(sockets.near);
  await closed;
  expect(errors).toEqual([]);
});

test("bytes that the other end does not take do not become a clean end by a reset", async () => {
  await using sockets = await pair();
  const ended: string[] = [];
  sockets.far.once("end", () => ended.push("end")).on("error", () => ended.push("error"));
  sockets.near.on("error", () => {}).end(Buffer.alloc(32 << 20));
  reset(sockets.near);
  sockets.far.resume();
  await new Promise((resolve) => sockets.far.once("close", resolve));
  expect(ended).toEqual(["error"]);
});
