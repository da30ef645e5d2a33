import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startDohResolver, type DohResolver } from "../../support/dns/doh-resolver.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import type { Fault } from "../../support/faults.ts";
import { contentType, garbage } from "../../support/faults.ts";
import { createDohServer } from "../../../shared/dns/doh.ts";

const zone = "nodes.example.test";
const store = new ZoneStore(zone);
/** A whole message, whatever stands behind it. */
const emptyAnswer = Buffer.from("000084000000000000000000", "hex");
let resolver: DohResolver;

beforeAll(async () => {
  resolver = await startDohResolver(store);
  store.add({ name: `a.${zone}`, type: "CAA", content: '0 issue "ca.example"' });
});
afterAll(() => resolver[Symbol.asyncDispose]());
beforeEach(() => resolver.faults.clear());

test("a resolver answers a question that is posted", async () => {
  const answer = await createDohServer({ url: resolver.url, fetch }).ask(`a.${zone}`, "CAA");
  expect(answer).toMatchObject({ rcode: 0, records: [{ type: "CAA", content: '0 issue "ca.example"' }] });
  expect(resolver.faults.seen.at(-1)?.method).toBe("POST");
});

test("a resolver's word that there is no such name is an answer", async () => {
  const answer = await createDohServer({ url: resolver.url, fetch }).ask(`nobody.${zone}`, "A");
  expect(answer).toMatchObject({ rcode: 3, records: [] });
});

test.each<[string, Fault]>([
  ["hangs up", { kind: "drop", when: "before" }],
  ["answers 500", { kind: "answer", answer: { status: 500, headers: {}, body: "no" } }],
  [
    "leads elsewhere",
    { kind: "answer", answer: { status: 302, headers: { location: "http://127.0.0.1:9/" }, body: "" } },
  ],
  ["answers with another content type", contentType("text/html")],
  ["answers with garbage", garbage("no DNS message at all")],
  ["answers with more than a message can hold", garbage(Buffer.concat([emptyAnswer, Buffer.alloc(65_536)]))],
  ["is cut off", { kind: "truncate" }],
])("a resolver that %s has not answered", async (_, fault) => {
  resolver.faults.inject("/dns-query", fault);
  const asked = createDohServer({ url: resolver.url, fetch }).ask(`a.${zone}`, "A");
  await expect(asked).rejects.toMatchObject({ name: "AppError", code: "upstream-unavailable" });
});

test("a resolver that never answers is given up", async () => {
  resolver.faults.inject("/dns-query", { kind: "silence", when: "before" });
  const asked = createDohServer({ url: resolver.url, fetch, timeoutMs: 50 }).ask(`a.${zone}`, "A");
  await expect(asked).rejects.toMatchObject({
    code: "upstream-timeout",
    detail: expect.stringContaining(resolver.url),
  });
});
