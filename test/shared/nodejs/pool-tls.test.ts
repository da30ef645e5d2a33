import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { connect, TLSSocket, type SecureContext } from "node:tls";
import { expect, test } from "vitest";
import { createPoolContext, ticketKeysOf } from "../../../shared/nodejs/pool-tls.ts";
import { newIdentity } from "../../support/relay-world.ts";

/** Whether a session that was begun with one context goes on with another. */
async function resumes(first: SecureContext, second: SecureContext): Promise<boolean> {
  const contexts = [first, second];
  const server = createServer((socket) => {
    const secureContext = contexts.shift() ?? second;
    new TLSSocket(socket, { isServer: true, secureContext }).on("error", () => {}).write("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const options = { port: (server.address() as AddressInfo).port, host: "127.0.0.1", rejectUnauthorized: false };
  const begun = connect(options);
  const [session] = (await once(begun, "session")) as [Buffer];
  begun.destroy();
  const next = connect({ ...options, session });
  await once(next, "secureConnect");
  const isReused = next.isSessionReused();
  next.destroy();
  server.close();
  return isReused;
}

test("a session goes on at whoever knows the secret, for the same protocol only", async () => {
  const identity = await newIdentity();
  const secret = new Uint8Array(32).fill(1);
  const context = (keys: Buffer | undefined): SecureContext => createPoolContext(identity, keys);
  const alice = (): SecureContext => context(ticketKeysOf(secret, "alice/1"));
  expect(await resumes(alice(), alice())).toBe(true);
  expect(await resumes(alice(), context(ticketKeysOf(secret, "bob/1")))).toBe(false);
  expect(await resumes(alice(), context(ticketKeysOf(new Uint8Array(32), "alice/1")))).toBe(false);
  expect(ticketKeysOf(undefined, "alice/1")).toBeUndefined();
});
