import type { LookupAddress } from "node:dns";
import { connect, createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { lookupWithLoopback } from "../../../shared/nodejs/loopback-lookup.ts";

function lookUp(
  hostname: string,
  options: { all?: boolean; family?: number | "IPv4" | "IPv6" } = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    lookupWithLoopback(hostname, options, (error, address: string | LookupAddress[], family) => {
      if (error) reject(error);
      else resolve(typeof address === "string" ? [address, family] : address.map((one) => one.address));
    });
  });
}

describe("lookupWithLoopback", () => {
  it.each(["localhost", "demo.postern.localhost", "LOCALHOST", "a.localhost."])(
    "finds %s on this machine",
    async (name) => {
      expect(await lookUp(name)).toEqual(["127.0.0.1", 4]);
      expect(await lookUp(name, { all: true })).toEqual(["127.0.0.1", "::1"]);
      expect(await lookUp(name, { family: 6 })).toEqual(["::1", 6]);
      expect(await lookUp(name, { family: "IPv4", all: true })).toEqual(["127.0.0.1"]);
    },
  );

  it("leaves other names and addresses to the system", async () => {
    expect(await lookUp("127.0.0.9")).toEqual(["127.0.0.9", 4]);
    await expect(lookUp("notlocalhost.invalid")).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });

  it("lets net.connect reach a server below localhost", async () => {
    const server = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: "demo.postern.localhost", port, lookup: lookupWithLoopback });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    socket.destroy();
    server.close();
  });
});
