import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectCounting } from "./connect.ts";
import { startZoneServer, type ZoneServer } from "../../support/dns/zone-server.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import { authorityCacheMs, createAuthorities, createTcpServer, unreachableMs } from "../../../shared/dns/authority.ts";
import type { AnswerRecord } from "../../../shared/dns/message.ts";
import type { DnsServer } from "../../../shared/dns/server.ts";
import { AppError } from "../../../shared/errors.ts";

const zone = "nodes.example.test";
const store = new ZoneStore(zone);
let server: ZoneServer;
let now = 1_000_000;
const clock = { now: () => now, sleep: () => Promise.reject(new Error("nothing sleeps here")) };

beforeAll(async () => {
  server = await startZoneServer(store);
  store.add({ name: `a.${zone}`, type: "TXT", content: "text" });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.mode = "up";
});

describe("a server asked over TCP", () => {
  test("answers", async () => {
    const { connect, opened } = connectCounting();
    const answer = await createTcpServer(server.address, connect).ask(`a.${zone}`, "TXT");
    expect(answer.records).toMatchObject([{ type: "TXT", content: "text" }]);
    expect(opened).toEqual([server.address]);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["that hangs up", (socket) => socket.destroy()],
    ["that ends in mid-message", (socket) => socket.end(Buffer.from([0, 40, 1, 2, 3]))],
    ["that speaks of something else", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["whose answer is to another question", (socket) => socket.end(Buffer.from("000c999984000000000000000000", "hex"))],
  ])("%s has not answered", async (_, serve) => {
    await using listening = await listen(serve);
    const asked = createTcpServer(listening.address, connectCounting().connect).ask(zone, "NS");
    await expect(asked).rejects.toMatchObject({ code: "upstream-unavailable" });
  });

  test("takes an answer that comes byte by byte", async () => {
    await using listening = await listen((socket) => {
      socket.once("data", (query: Buffer) => {
        const reply = Buffer.from(query);
        reply[4] = 0x84; // an answer, without records
        for (const byte of reply) socket.write(Buffer.of(byte));
      });
    });
    const answer = await createTcpServer(listening.address, connectCounting().connect).ask(zone, "NS");
    expect(answer).toMatchObject({ rcode: 0, records: [] });
  });

  test("that never answers is given up", { timeout: 10_000 }, async () => {
    await using listening = await listen(() => {});
    const asked = createTcpServer(listening.address, connectCounting().connect).ask(zone, "NS");
    await expect(asked).rejects.toMatchObject({ code: "upstream-timeout" });
  });
});

describe("the zone's own servers", () => {
  /** Knows the records it is given. */
  const resolverOf = (known: Record<string, string[]>): DnsServer & { asked: string[] } => {
    const asked: string[] = [];
    return {
      address: "resolver",
      kind: "resolver",
      asked,
      ask(name, type) {
        asked.push(`${name} ${type}`);
        const contents = known[`${name} ${type}`] ?? [];
        const records = contents.map((content): AnswerRecord => ({ name, type, ttl: 60, content }));
        return Promise.resolve({ id: 0, rcode: 0, records });
      },
    };
  };
  const failing: DnsServer = {
    address: "gone",
    kind: "resolver",
    ask: () => Promise.reject(new AppError("upstream-unavailable", "gone")),
  };
  const find = (resolvers: DnsServer[], addresses?: string[]) =>
    createAuthorities({ zone, connect: connectCounting().connect, clock, resolvers, ...(addresses && { addresses }) });

  test("are found by the NS records of the zone or the nearest name above, and remembered for an hour", async () => {
    const resolver = resolverOf({
      "example.test NS": ["ns1.dns.test", "ns2.dns.test"],
      "ns1.dns.test A": ["192.0.2.53"],
      "ns2.dns.test A": ["192.0.2.54", "192.0.2.55"],
    });
    const authorities = find([failing, resolver]);
    const addresses = (await authorities()).map(({ address }) => address);
    expect(addresses).toEqual(["192.0.2.53:53", "192.0.2.54:53"]);
    expect(resolver.asked).toEqual([`${zone} NS`, "example.test NS", "ns1.dns.test A", "ns2.dns.test A"]);
    await authorities();
    expect(resolver.asked).toHaveLength(4);
    now += authorityCacheMs;
    await authorities();
    expect(resolver.asked).toHaveLength(8);
  });

  test("are none where nothing names them, and a top-level domain is not asked for", async () => {
    const resolver = resolverOf({});
    expect(await find([resolver])()).toEqual([]);
    expect(resolver.asked).toEqual([`${zone} NS`, "example.test NS"]);
    expect(await find([failing])()).toEqual([]);
  });

  test("can be given, and are left alone for a while when they cannot be reached", async () => {
    const { connect, opened } = connectCounting();
    const addresses = ["127.0.0.1:9", server.address];
    const authorities = createAuthorities({ zone, connect, clock, resolvers: [failing], addresses });
    const ask = async () => {
      const servers = await authorities();
      const asked = await Promise.allSettled(servers.map((one) => one.ask(`a.${zone}`, "TXT")));
      return asked.map(({ status }) => status);
    };
    expect(await ask()).toEqual(["rejected", "fulfilled"]);
    expect(await ask()).toEqual(["rejected", "fulfilled"]);
    expect(opened.filter((address) => address === "127.0.0.1:9")).toHaveLength(1);
    now += unreachableMs;
    await ask();
    expect(opened.filter((address) => address === "127.0.0.1:9")).toHaveLength(2);
  });
});

async function listen(serve: (socket: Socket) => void): Promise<{ address: string } & AsyncDisposable> {
  const listening: Server = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => Promise.resolve(void listening.close()) };
}
