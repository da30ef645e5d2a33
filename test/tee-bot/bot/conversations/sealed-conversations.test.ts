/** What somebody can do who has the store: nothing but lose conversations. */
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RESP_TYPES, createClient } from "@redis/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { startRedis, type Redis } from "../../../support/redis.ts";
import { contentsOf, conversationWorld, said, type ConversationWorld } from "./support/world.ts";

const secrets = ["+15550100", "6f3e2a1c-ada-uuid", "CANARY-7f2c"];
const [person, uuid, words] = secrets as [string, string, string];
const sayCanary = (timestamp: number) => said(timestamp, { person: uuid, content: `${words} ${timestamp}` });

let world: ConversationWorld;
afterEach(() => world[Symbol.dispose]());
const told = (): unknown[] => world.log.events.map(({ event, fields }) => [event, fields["reason"]]);

describe("a SQLite file of conversations", () => {
  let path: string;
  beforeEach(() => {
    world = conversationWorld({});
    path = join(world.folder, "conversations.sqlite");
  });
  const tamper = (sql: string): void => {
    using file = new DatabaseSync(path);
    file.exec(sql);
  };

  it("has no name, number or word of them in clear, in any file or log line", async () => {
    const store = world.open();
    for (let n = 1; n <= 20; n++) await store.append(person, sayCanary(n));
    await store.clear(person);
    await store.append(person, sayCanary(21));
    store[Symbol.dispose]();
    const files = readdirSync(world.folder);
    expect(files).toContain("conversations.sqlite");
    for (const file of files)
      for (const secret of secrets) expect(readFileSync(join(world.folder, file)).includes(secret)).toBe(false);
    for (const secret of secrets) expect(JSON.stringify(world.log.events)).not.toContain(secret);
  });

  it.each(["durable", "ephemeral"] as const)(
    "that is put back as it was is noticed after a restart, or at once: %s",
    async (mode) => {
      const store = world.open({ mode });
      await store.append(person, sayCanary(1));
      await store.append("bob", said(1));
      tamper("CREATE TABLE backup AS SELECT * FROM sealed");
      await store.clear(person);
      if (mode === "durable") store[Symbol.dispose]();
      tamper("INSERT OR REPLACE INTO sealed SELECT * FROM backup; DROP TABLE backup");
      const again = mode === "durable" ? world.open({ mode }) : store;
      expect(await again.count(person)).toBe(0);
      expect(await again.count("bob")).toBe(1);
      expect(world.refusals).toEqual([["rolled-back", person]]);
      expect(told()).toEqual([["conversation.refused", "rolled-back"]]);
      expect(await again.append(person, sayCanary(2))).toBe(true);
      expect(await contentsOf(again, person)).toEqual([`${words} 2`]);
      expect(world.refusals).toHaveLength(1);
    },
  );

  it("that is replaced whole by an older copy is noticed", async () => {
    const first = world.open();
    await first.append(person, sayCanary(1));
    first[Symbol.dispose]();
    copyFileSync(path, `${path}.copy`);
    const second = world.open();
    await second.append(person, sayCanary(2));
    second[Symbol.dispose]();
    copyFileSync(`${path}.copy`, path);
    const third = world.open();
    expect(await contentsOf(third, person)).toEqual([]);
    expect(world.refusals).toEqual([["rolled-back", person]]);
  });

  it("whose values are swapped between conversations, or changed, gives none of them out", async () => {
    const store = world.open();
    await store.append(person, sayCanary(1));
    await store.append("bob", said(1));
    await store.append("cy", said(1));
    tamper(`CREATE TABLE mixed AS SELECT tag, lead(value) OVER (ORDER BY tag) AS value FROM sealed;
      UPDATE sealed SET value = coalesce((SELECT value FROM mixed WHERE mixed.tag = sealed.tag), zeroblob(600))`);
    expect([await store.count(person), await store.count("bob"), await store.count("cy")]).toEqual([0, 0, 0]);
    expect(world.refusals.map(([reason]) => reason)).toEqual(["forged", "forged", "forged"]);
  });

  it("begins anew when it is no database any more, and goes on", async () => {
    const store = world.open();
    await store.append(person, sayCanary(1));
    store[Symbol.dispose]();
    writeFileSync(path, "this is no database\n".repeat(500));
    const again = world.open();
    expect(await again.count(person)).toBe(0);
    expect(await again.append(person, sayCanary(2))).toBe(true);
    expect(world.log.events.map(({ event }) => event)).toContain("store.moved-aside");
  });

  it("has nothing more of a message whose timer has run out, once anybody looked", async () => {
    const store = world.open();
    await store.append(person, said(1));
    await store.append(person, said(2, { expiresInSeconds: 5, content: "x".repeat(3_000) }));
    const size = (): number => {
      using file = new DatabaseSync(path);
      return Number(file.prepare("SELECT length(value) AS n FROM sealed").get()?.["n"]);
    };
    expect(size()).toBeGreaterThan(3_000);
    world.advance(5_000);
    expect(await store.count(person)).toBe(1);
    expect(size()).toBeLessThan(1_000);
  });
});

describe("a Redis of conversations", () => {
  let redis: Redis;
  let client: Awaited<ReturnType<typeof connectTo>>;
  beforeEach(async () => {
    redis = await startRedis();
    world = conversationWorld({ redisUrl: redis.url });
    client = await connectTo(redis.url);
  });
  afterEach(async () => {
    client.destroy();
    await redis[Symbol.asyncDispose]();
  });
  const onlyKey = async (): Promise<Buffer> => {
    const keys = await client.keys("*");
    expect(keys).toHaveLength(1);
    return keys[0]!;
  };

  it("has no name, number or word of them in clear, in keys or values", async () => {
    const store = world.open();
    for (let n = 1; n <= 20; n++) await store.append(person, sayCanary(n));
    const key = await onlyKey();
    const all = Buffer.concat([key, (await client.get(key))!, await client.dump(key)]);
    expect(all.length).toBeGreaterThan(1_000);
    for (const secret of secrets) expect(all.includes(secret)).toBe(false);
  });

  it("that gives an older value of one key is not believed", async () => {
    const store = world.open();
    await store.append(person, sayCanary(1));
    const key = await onlyKey();
    const old = (await client.get(key))!;
    await store.clear(person);
    expect(await client.exists(key)).toBe(0);
    await client.set(key, old);
    expect(await store.count(person)).toBe(0);
    expect(world.refusals).toEqual([["rolled-back", person]]);
    expect(told()).toEqual([["conversation.refused", "rolled-back"]]);
  });

  it("that has lost its own expiry does not make a conversation live longer, and keeps none of it once it was looked at", async () => {
    const store = world.open();
    await store.append(person, sayCanary(1));
    const key = await onlyKey();
    expect(await client.pTTL(key)).toBeGreaterThan(23 * 3_600_000);
    await client.persist(key);
    world.advance(24 * 3_600_000);
    expect(await store.count(person)).toBe(0);
    expect(await client.exists(key)).toBe(0);
    expect(world.refusals).toEqual([]);
  });

  it("that is killed and comes back empty in mid-work loses what it held, and nobody waits for ever", async () => {
    const store = world.open();
    await store.append("ada", said(1));
    const over = new AbortController();
    const outcomes = { kept: 0, failed: 0 };
    const work = Array.from({ length: 20 }, async (_, who) => {
      for (let n = 1; !over.signal.aborted; n++) {
        const kept = await store.append(`person-${who}`, said(n)).catch((error: Error) => error.message);
        if (kept === true) outcomes.kept++;
        else if (typeof kept === "string") outcomes.failed++;
        await systemClock.sleep(5);
      }
    });
    await systemClock.sleep(300);
    await redis.kill();
    await systemClock.sleep(2_500);
    expect(outcomes.failed).toBeGreaterThan(0);
    await redis.start();
    await expect.poll(() => store.append("ada", said(2)).catch(() => false), { timeout: 10_000 }).toBe(true);
    const before = outcomes.kept;
    await expect.poll(() => outcomes.kept, { timeout: 5_000 }).toBeGreaterThan(before);
    over.abort();
    await Promise.all(work);
    expect(await contentsOf(store, "ada")).toEqual(["message 2"]);
    expect(world.refusals).toEqual([]);
  });
});

async function connectTo(url: string) {
  const client = createClient({ url }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.on("error", () => {}); // the test ends Redis
  await client.connect();
  return client;
}
