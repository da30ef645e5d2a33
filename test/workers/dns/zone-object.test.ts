import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { zone } from "../support/constants.ts";
import { clock, letPass } from "../support/controls.ts";
import { freshIdentity } from "../support/identities.ts";
import { providerOf, type ZoneProvider } from "../support/zone-provider.ts";
import type { DnsRecord } from "../../../shared/dns/record.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { ProviderError } from "../../../workers/dns/provider.ts";
import type { DnsZone } from "../../../workers/dns/zone-object.ts";
import { ZoneGate } from "../../../workers/dns/zone-gate.ts";
import { challengeLifeMs, ZoneStore } from "../../../workers/dns/zone-store.ts";

const { id: node } = await freshIdentity();
const { id: other } = await freshIdentity();
const value = "x".repeat(43);
const reconcileMs = 15 * 60_000;

const hostOf = (label: string): string => `${label}.${zone}`;
const address = (label: string, content = "192.0.2.1"): DnsRecord => ({
  name: hostOf(label),
  type: "A",
  content,
  ttl: 60,
});
const line = (label: string, content = "192.0.2.1"): string => `${hostOf(label)} A ${content}`;
const challengeLine = (label: string, text = value): string => `_acme-challenge.${hostOf(label)} TXT ${text}`;

interface Zone {
  readonly stub: DurableObjectStub<DnsZone>;
  readonly provider: ZoneProvider;
  readonly publish: (revision: number, records: readonly DnsRecord[], by?: NodeId) => Promise<void>;
  readonly present: (label: string, order?: string, text?: string) => Promise<unknown>;
  /** Lets the alarm run until there is nothing left to do at this time. */
  readonly settle: () => Promise<void>;
}

/** A zone of its own for each test. */
function freshZone(): Zone {
  const id = env.ZONES.newUniqueId();
  const stub = env.ZONES.get(id);
  const provider = providerOf(id);
  return {
    stub,
    provider,
    publish: (revision, records, by = node) => stub.publish({ node: by, revision, records }),
    present: (label, order = "order", text = value) =>
      stub.present({ node, order, records: [{ hostname: hostOf(label), value: text }] }),
    settle: async () => {
      for (
        let round = 0, calls = -1;
        round < 20 && calls !== provider.batches.length + provider.reads.length;
        round++
      ) {
        calls = provider.batches.length + provider.reads.length;
        await runDurableObjectAlarm(stub);
      }
    },
  };
}

describe("a publication", () => {
  test("is written, and its records say whose they are", async () => {
    const { publish, provider, settle, stub } = freshZone();
    await publish(1, [address("a"), { ...address("a", "2001:DB8::0:1"), type: "AAAA" }]);
    await settle();
    expect(provider.lines).toEqual([line("a"), `${hostOf("a")} AAAA 2001:db8::1`]);
    expect(provider.records[0]?.comment).toMatch(new RegExp(`^postern [0-9a-f]{8} node ${node.slice(0, 16)}$`));
    expect(await stub.status(node)).toEqual({ state: "written", records: 2, words: "2 records written" });
  });

  test("that is older than the last has no effect", async () => {
    const { publish, provider, settle } = freshZone();
    await publish(2, [address("a")]);
    await publish(1, []);
    await publish(2, []);
    await settle();
    expect(provider.lines).toEqual([line("a")]);
  });

  test("replaces the one before entirely, a change of one name in one batch", async () => {
    const { publish, provider, settle } = freshZone();
    await publish(1, [address("a"), address("b")]);
    await settle();
    await publish(2, [address("a", "192.0.2.2")]);
    await settle();
    expect(provider.lines).toEqual([line("a", "192.0.2.2")]);
    expect(provider.batches).toHaveLength(2);
    expect(provider.batches[1]).toMatchObject({ deletes: [expect.any(String), expect.any(String)], posts: [{}] });
  });

  test("cannot name what is outside the zone", async () => {
    const { publish, provider, settle } = freshZone();
    await publish(1, [{ ...address("a"), name: "www.example.com" }, address("a")]);
    await settle();
    expect(provider.lines).toEqual([line("a")]);
  });

  test("of a record that another node wants too leaves it when it is withdrawn", async () => {
    const { publish, provider, settle } = freshZone();
    await publish(1, [address("a")]);
    await publish(1, [address("a")], other);
    await publish(2, []);
    await settle();
    expect(provider.lines).toEqual([line("a")]);
  });
});

test("500 records that come at once take few batches", async () => {
  const { publish, provider, settle } = freshZone();
  const nodes = await Promise.all(Array.from({ length: 100 }, () => freshIdentity()));
  await Promise.all(
    nodes.map(({ id }, at) =>
      publish(
        1,
        Array.from({ length: 5 }, (_, nth) => address(`n${at}`, `192.0.2.${nth}`)),
        id,
      ),
    ),
  );
  await settle();
  expect(provider.records).toHaveLength(500);
  expect(provider.batches.length).toBeLessThanOrEqual(5);
});

test("100 challenges that come at once are written before their callers are answered, in few batches", async () => {
  const { present, provider } = freshZone();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => present(`n${at}`, `order-${at}`)));
  expect(answers.every((answer) => (answer as { state: string }).state === "written")).toBe(true);
  expect(provider.records).toHaveLength(100);
  expect(provider.batches.length).toBeLessThanOrEqual(3);
});

describe("a challenge", () => {
  test("is written when it is presented, and gone when it is withdrawn", async () => {
    const { present, provider, settle, stub } = freshZone();
    expect(await present("a")).toEqual({ state: "written" });
    expect(provider.lines).toEqual([challengeLine("a")]);
    expect(await present("a")).toEqual({ state: "written" });
    expect(provider.batches).toHaveLength(1);
    await stub.withdraw({ node, order: "order" });
    await settle();
    expect(provider.lines).toEqual([]);
  });

  test("of one order does not disturb another's at the same name", async () => {
    const { present, provider, settle, stub } = freshZone();
    await present("a", "first", "1".repeat(43));
    await present("a", "second", "2".repeat(43));
    expect(provider.lines).toHaveLength(2);
    await stub.withdraw({ node, order: "first" });
    await settle();
    expect(provider.lines).toEqual([challengeLine("a", "2".repeat(43))]);
  });

  test("that nobody withdraws is removed after a day", async () => {
    const { present, provider, settle } = freshZone();
    await present("a");
    letPass(challengeLifeMs);
    await settle();
    expect(provider.lines).toEqual([]);
  });

  test("goes before the addresses that wait", async () => {
    const { publish, present, provider } = freshZone();
    provider.maxBatch = 1;
    provider.outage = new ProviderError("rate-limited", "Slow down.", { retryAfterMs: 60_000 });
    await publish(1, [address("a"), address("b")]);
    await present("z");
    provider.outage = undefined;
    provider.batches.length = 0;
    letPass(61_000);
    await present("z");
    expect(provider.batches[0]?.posts).toMatchObject([{ type: "TXT" }]);
  });
});

describe("a provider that fails", () => {
  test("with 429 is left alone for as long as it says", async () => {
    const { present, provider, settle } = freshZone();
    provider.faults.push({
      error: new ProviderError("rate-limited", "Slow down.", { retryAfterMs: 30_000 }),
      applied: false,
    });
    const answer = (await present("a")) as { retryAfterMs: number };
    expect(answer).toMatchObject({ state: "pending", trouble: { detail: "Slow down." } });
    expect(answer.retryAfterMs).toBeGreaterThan(25_000);
    await settle();
    expect(provider.batches).toHaveLength(1);
    letPass(30_000);
    await settle();
    expect(provider.lines).toEqual([challengeLine("a")]);
  });

  test.each([
    ["before it has done what it was asked", false],
    ["after it has", true],
  ])("to answer %s gets each record once", async (_, applied) => {
    const { publish, provider, settle, stub } = freshZone();
    provider.faults.push({ error: new ProviderError("unavailable", "No answer."), applied });
    await publish(1, [address("a"), address("b")]);
    await settle();
    expect(await stub.status(node)).toMatchObject({ state: "pending", trouble: { detail: "No answer." } });
    letPass(60_000);
    await settle();
    expect(provider.lines).toEqual([line("a"), line("b")]);
    expect(provider.reads).toEqual([hostOf("a"), hostOf("b")]);
    expect(provider.batches).toHaveLength(applied ? 1 : 2);
    expect(await stub.status(node)).toMatchObject({ state: "written" });
  });

  test("to answer a removal, though it was made, does not hold up the next challenge", async () => {
    const { present, provider, settle, stub } = freshZone();
    await present("a");
    await stub.withdraw({ node, order: "order" });
    provider.faults.push({ error: new ProviderError("unavailable", "No answer."), applied: true });
    await settle();
    letPass(1_000); // far from the time for which a new record may be hidden
    await settle();
    expect(await present("a", "next", "y".repeat(43))).toEqual({ state: "written" });
    expect(provider.lines).toEqual([challengeLine("a", "y".repeat(43))]);
  });

  test("for lack of rights is said with its remedy, and used again once it works", async () => {
    const { publish, provider, settle, stub } = freshZone();
    provider.outage = new ProviderError("unauthorized", "Cloudflare answers: Authentication error (code 10000).");
    await publish(1, [address("a")]);
    await settle();
    expect(await stub.status(node)).toMatchObject({
      state: "failing",
      words: expect.stringContaining("Authentication error"),
      trouble: { remedy: expect.stringContaining("Zone → DNS → Edit") },
    });
    provider.outage = undefined;
    letPass(60_000);
    await settle();
    expect(await stub.status(node)).toMatchObject({ state: "written" });
  });

  test("and shows late what it was told makes no record twice", async () => {
    const { publish, provider, settle } = freshZone();
    provider.lagMs = 30_000;
    provider.faults.push({ error: new ProviderError("unavailable", "No answer."), applied: true });
    await publish(1, [address("a")]);
    await settle();
    for (let at = 0; at < 8; at++) {
      letPass(15_000);
      await settle();
    }
    expect(provider.lines).toEqual([line("a")]);
    letPass(reconcileMs);
    await settle();
    expect(provider.lines).toEqual([line("a")]);
  });
});

describe("a record that the provider refuses", () => {
  test("is found among the others, which are written", async () => {
    const { publish, provider, settle, stub } = freshZone();
    provider.refuses = ({ content }) => content === "192.0.2.66";
    await publish(
      1,
      Array.from({ length: 64 }, (_, at) => address(`n${at}`, at === 40 ? "192.0.2.66" : "192.0.2.1")),
    );
    await publish(1, [address("mine", "192.0.2.66"), address("mine", "192.0.2.67")], other);
    await settle();
    expect(provider.records).toHaveLength(64);
    expect(provider.lines).toContain(line("mine", "192.0.2.67"));
    expect(provider.batches.length).toBeLessThan(30);
    expect(await stub.status(other)).toMatchObject({
      state: "failing",
      words: expect.stringContaining("1 of 2 records"),
      trouble: { detail: "It will not take 192.0.2.66." },
    });
    const batches = provider.batches.length;
    await settle();
    expect(provider.batches).toHaveLength(batches);
    await publish(2, [address("mine", "192.0.2.67")], other);
    await settle();
    expect(await stub.status(other)).toMatchObject({ state: "written" });
  });

  test("is tried again later", async () => {
    const { publish, provider, settle } = freshZone();
    provider.refuses = () => true;
    await publish(1, [address("a")]);
    await settle();
    provider.refuses = () => false;
    letPass(60_000);
    await settle();
    expect(provider.lines).toEqual([line("a")]);
  });
});

describe("a full zone", () => {
  test("keeps what it has, takes challenges first, and goes on when there is room", async () => {
    const { publish, present, provider, settle, stub } = freshZone();
    await publish(1, [address("old")], other);
    await settle();
    provider.quota = 4;
    await publish(
      1,
      Array.from({ length: 50 }, (_, at) => address(`n${at}`)),
    );
    expect(await present("a")).toEqual({ state: "written" });
    await settle();
    expect(provider.records).toHaveLength(4);
    expect(provider.lines).toContain(line("old"));
    expect(provider.batches.length).toBeLessThan(20);
    expect(await stub.status(node)).toMatchObject({ state: "failing", trouble: { detail: "Record quota exceeded." } });

    await publish(2, [address("old", "192.0.2.9")], other);
    await settle();
    expect(provider.lines).toContain(line("old", "192.0.2.9"));

    provider.quota = 1_000;
    await settle();
    expect(provider.records).toHaveLength(4);
    letPass(10 * 60_000);
    await settle();
    expect(provider.records).toHaveLength(52);
    expect(await stub.status(node)).toMatchObject({ state: "written" });
  });
});

describe("a record that stands there already", () => {
  test("just as it is wanted will do, whosever it is", async () => {
    const { publish, provider, settle, stub } = freshZone();
    provider.add(address("a"));
    await publish(1, [address("a"), address("b")]);
    await settle();
    expect(provider.lines).toEqual([line("a"), line("b")]);
    expect(await stub.status(node)).toMatchObject({ state: "written" });
    await publish(2, []);
    await settle();
    expect(provider.lines).toEqual([line("a")]);
  });
});

describe("a batch that meets a conflict", () => {
  test("because a record was deleted by hand is made anew from what stands there", async () => {
    const { publish, provider, settle } = freshZone();
    await publish(1, [address("a"), address("b")]);
    await settle();
    letPass(60_000);
    provider.delete(({ name }) => name === hostOf("a"));
    await publish(2, [address("a", "192.0.2.2"), address("b", "192.0.2.2")]);
    await settle();
    expect(provider.lines).toEqual([line("a", "192.0.2.2"), line("b", "192.0.2.2")]);
    expect(provider.batches).toHaveLength(3);
  });

  test("again and again is halved until the record in the way is alone, which is told of", async () => {
    const { publish, provider, settle, stub } = freshZone();
    provider.denies = ({ name }) => name === hostOf("b");
    await publish(1, [address("a"), address("c"), address("d")]);
    await publish(1, [address("b")], other);
    for (let minute = 0; minute < 5; minute++) {
      await settle();
      letPass(60_000);
    }
    expect(provider.lines).toEqual([line("a"), line("c"), line("d")]);
    expect(await stub.status(other)).toMatchObject({ state: "failing", trouble: { remedy: expect.any(String) } });
    expect(provider.batches.length).toBeLessThan(20);
    provider.denies = () => false;
    letPass(5 * 60_000);
    await settle();
    expect(provider.lines).toContain(line("b"));
  });
});

test("when many names are unsure, the zone is read once instead of each of them", async () => {
  const { publish, provider, settle } = freshZone();
  provider.faults.push({ error: new ProviderError("unavailable", "No answer."), applied: true });
  await publish(
    1,
    Array.from({ length: 60 }, (_, at) => address(`n${at}`)),
  );
  await settle();
  letPass(60_000);
  await settle();
  expect(provider.records).toHaveLength(60);
  expect(provider.batches).toHaveLength(1);
  expect(provider.reads).toEqual(["page 0", "page 50"]);
});

test("calls stay within the budget, and batches grow instead", async () => {
  const { publish, provider, settle } = freshZone();
  for (let at = 1; at <= 250; at++) {
    await publish(at, [address("a", `192.0.2.${at}`)]);
    await settle();
  }
  expect(provider.batches.length).toBeGreaterThanOrEqual(200);
  expect(provider.batches.length).toBeLessThan(240);
  await publish(251, [address("a"), address("b")]);
  letPass(1_000);
  await settle();
  expect(provider.lines).toEqual([line("a"), line("b")]);
});

describe("an object that dies", () => {
  test.each([
    ["was applied", true],
    ["was not", false],
  ])("between sending a batch and storing its answer finds out that it %s", async (_, applied) => {
    const { publish, provider, settle, stub } = freshZone();
    await publish(1, [address("a"), address("b")]);
    await runInDurableObject(stub, (_instance, { storage: { sql } }) => {
      const gate = new ZoneGate({ sql, clock, random: () => 0.5, callsPer5Min: 1_000 });
      gate.takeOff([hostOf("a"), hostOf("b")]); // the last that is stored before a batch is sent
      const comment = new ZoneStore(sql).mark;
      if (applied) for (const label of ["a", "b"]) provider.add({ ...address(label), comment });
    });
    await evictDurableObject(stub);
    await settle();
    expect(provider.reads).toEqual([hostOf("a"), hostOf("b")]);
    expect(provider.batches).toHaveLength(applied ? 0 : 1);
    expect(provider.lines).toEqual([line("a"), line("b")]);
    expect(await stub.status(node)).toMatchObject({ state: "written" });
  });
});

test("an alarm that comes twice writes once", async () => {
  const { publish, provider, stub, settle } = freshZone();
  await publish(1, [address("a")]);
  await runInDurableObject(stub, (instance) => Promise.all([instance.alarm(), instance.alarm()]));
  await settle();
  expect(provider.batches).toHaveLength(1);
});

describe("the look at the whole zone", () => {
  async function written(labels: string[]): Promise<Zone> {
    const made = freshZone();
    await made.publish(
      1,
      labels.map((label) => address(label)),
    );
    await made.settle();
    letPass(60_000);
    made.provider.batches.length = 0;
    return made;
  }

  test("brings back what was deleted by hand", async () => {
    const { provider, settle } = await written(Array.from({ length: 120 }, (_, at) => `n${at}`));
    provider.delete(({ name }) => name === hostOf("n7") || name === hostOf("n100"));
    await settle();
    expect(provider.records).toHaveLength(118);
    letPass(reconcileMs);
    await settle();
    expect(provider.records).toHaveLength(120);
    expect(provider.batches).toHaveLength(1);
    expect(provider.reads.filter((read) => read.startsWith("page"))).toEqual(["page 0", "page 50", "page 100"]);
  });

  test("puts right what was edited by hand", async () => {
    const { provider, settle } = await written(["a", "b"]);
    provider.edit(provider.records[0]?.id ?? "", { content: "203.0.113.1" });
    provider.edit(provider.records[1]?.id ?? "", { ttl: 1 });
    letPass(reconcileMs);
    await settle();
    expect(provider.lines).toEqual([line("a"), line("b")]);
    expect(provider.records.map(({ ttl }) => ttl)).toEqual([60, 60]);
  });

  test("removes what is ours and not wanted, and touches nothing else", async () => {
    const { provider, settle } = await written(["a"]);
    const mark = provider.records[0]?.comment ?? "";
    provider.add({ ...address("left"), comment: mark });
    provider.add({ ...address("www"), comment: "by hand" });
    provider.add({ ...address("a", "203.0.113.7"), comment: "postern ffffffff node 0" });
    letPass(reconcileMs);
    await settle();
    expect(provider.lines).toEqual([line("a"), line("a", "203.0.113.7"), line("www")].toSorted());
  });

  test("does not miss what was written a moment ago and is not shown yet", async () => {
    const { provider, settle, publish } = await written(["a"]);
    letPass(reconcileMs - 65_000);
    provider.lagMs = 30_000;
    await publish(2, [address("a"), address("new")]);
    await settle();
    letPass(10_000);
    await settle();
    expect(provider.reads).toEqual(["page 0"]);
    expect(provider.batches).toHaveLength(1);
  });

  test("writes nothing when nothing differs", async () => {
    const { provider, settle } = await written(["a", "b"]);
    letPass(reconcileMs);
    await settle();
    letPass(reconcileMs);
    await settle();
    expect(provider.batches).toEqual([]);
    expect(provider.reads).toEqual(["page 0", "page 0"]);
  });
});
