/** Resolvers over HTTPS as `dns-packet` and fetch see them. */
import { decode, encode, RECURSION_DESIRED, type RecordType } from "dns-packet";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startDohResolver, type DohResolver } from "../support/dns/doh-resolver.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";

const zone = "nodes.example.test";
const name = `_acme-challenge.a.${zone}`;
const time = { now: 10_000 };
let store: ZoneStore;
let resolver: DohResolver;

beforeEach(async () => {
  store = new ZoneStore(zone, () => time.now);
  resolver = await startDohResolver(store);
});
afterEach(() => resolver[Symbol.asyncDispose]());

const question = (type: RecordType, asked: string): Buffer =>
  encode({ type: "query", id: 0, flags: RECURSION_DESIRED, questions: [{ type, name: asked }] });

const post = (body: Buffer): Promise<Response> =>
  fetch(resolver.url, {
    method: "POST",
    headers: { "content-type": "application/dns-message" },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(2_000),
  });

async function texts(): Promise<string[]> {
  const response = await post(question("TXT", name));
  const { answers = [] } = decode(Buffer.from(await response.arrayBuffer()));
  return answers.flatMap((answer) => (answer.type === "TXT" ? String(answer.data) : []));
}

test("a resolver answers by POST and by GET", async () => {
  store.add({ name, type: "TXT", content: "value" });
  expect(await texts()).toEqual(["value"]);
  const response = await fetch(`${resolver.url}?dns=${question("TXT", name).toString("base64url")}`);
  expect(response.headers.get("content-type")).toBe("application/dns-message");
  const answer = decode(Buffer.from(await response.arrayBuffer()));
  expect(answer).toMatchObject({ flag_ra: true, flag_aa: false, answers: [{ name, type: "TXT" }] });
  expect(resolver.queries).toMatchObject([{ name, type: "TXT" }, { name }]);
});

test("a resolver is as far behind as it is told, from one moment to the next", async () => {
  resolver.lag = 500;
  store.add({ name, type: "TXT", content: "value" });
  expect(await texts()).toEqual([]);
  time.now += 500;
  expect(await texts()).toEqual(["value"]);
  resolver.lag = "never";
  store.removeAt(name);
  time.now += 60_000;
  expect(await texts()).toEqual(["value"]);
  resolver.lag = 0;
  expect(await texts()).toEqual([]);
});

test("a resolver answers for the parents of the zone that they have nothing, and knows nothing else", async () => {
  const rcodes = ["example.test", "elsewhere.test"].map(async (asked) => {
    const response = await post(question("CAA", asked));
    return (decode(Buffer.from(await response.arrayBuffer())) as { rcode?: string }).rcode;
  });
  expect(await Promise.all(rcodes)).toEqual(["NOERROR", "NXDOMAIN"]);
});

test("a resolver can be made to answer what was not written", async () => {
  resolver.override = (asked, written) =>
    asked === name ? [...written, store.add({ name: `other.${zone}`, type: "TXT", content: "invented" })] : undefined;
  expect(await texts()).toEqual(["invented"]);
});

test("a resolver shows every trouble it is told to have", async () => {
  resolver.mode = "error";
  expect((await post(question("TXT", name))).status).toBe(500);
  resolver.mode = "garbage";
  const garbage = Buffer.from(await (await post(question("TXT", name))).arrayBuffer());
  expect(() => decode(garbage)).toThrow();
  resolver.mode = "servfail";
  const refused = decode(Buffer.from(await (await post(question("TXT", name))).arrayBuffer()));
  expect(refused).toMatchObject({ rcode: "SERVFAIL" });
  resolver.mode = "refused";
  await expect(post(question("TXT", name))).rejects.toThrow("fetch failed");
  resolver.mode = "up";
  expect((await post(question("TXT", name))).status).toBe(200);
});

test("a resolver refuses what is no query", async () => {
  expect((await post(Buffer.from("x"))).status).toBe(400);
  expect((await fetch(resolver.url, { method: "POST", body: "x" })).status).toBe(415);
  expect((await fetch(resolver.url)).status).toBe(400);
});
