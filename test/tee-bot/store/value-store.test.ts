import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { RedisValues } from "../../../tee-bot/store/redis-values.ts";
import { SqliteValues } from "../../../tee-bot/store/sqlite-values.ts";
import type { KeptValue, ValueStore } from "../../../tee-bot/store/value-store.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { startRedis, type Redis } from "../../support/redis.ts";

let redis: Redis;
beforeAll(async () => void (redis = await startRedis()));
afterAll(() => redis[Symbol.asyncDispose]());

const sqliteAt = (folder: string): ValueStore =>
  new SqliteValues({ path: join(folder, "values.sqlite"), isDurable: false, clock: systemClock, log: silentLog });
const redisAt = (folder: string): ValueStore =>
  new RedisValues({ url: redis.url, prefix: `${folder}:`, clock: systemClock, log: silentLog });

describe.each([
  ["SQLite", sqliteAt],
  ["Redis", redisAt],
])("values in %s", (_, openAt) => {
  let stack: DisposableStack;
  let store: ValueStore;
  let other: ValueStore;
  beforeEach(() => {
    stack = new DisposableStack();
    const { path } = stack.use(temporaryFolder());
    store = stack.use(openAt(path));
    other = stack.use(openAt(path));
  });
  afterEach(() => stack.dispose());
  const some = (lifeMs = 60_000): KeptValue & { bytes: Buffer } => ({
    bytes: randomBytes(400),
    dropAt: Date.now() + lifeMs,
  });
  const read = async (tag: string): Promise<Buffer | undefined> => {
    const value = await other.read(tag);
    return value && Buffer.from(value);
  };

  it("are read as they were written, by others too, until they are removed", async () => {
    const one = some();
    expect(await read("a")).toBeUndefined();
    expect(await store.replace("a", undefined, one)).toBe(true);
    expect(await read("a")).toEqual(one.bytes);
    expect(await store.replace("a", one.bytes, undefined)).toBe(true);
    expect(await read("a")).toBeUndefined();
  });

  it("are replaced only where what was read is still there", async () => {
    const [one, two, three] = [some(), some(), some()];
    await store.replace("a", undefined, one);
    expect(await other.replace("a", undefined, two)).toBe(false);
    expect(await other.replace("a", one.bytes, two)).toBe(true);
    expect(await store.replace("a", one.bytes, three)).toBe(false);
    expect(await store.replace("a", one.bytes, undefined)).toBe(false);
    expect(await store.replace("b", one.bytes, three)).toBe(false);
    expect(await read("a")).toEqual(two.bytes);
    expect(await read("b")).toBeUndefined();
  });

  it("are all found by the beginning of their tags, and no others", async () => {
    const tags = Array.from({ length: 250 }, (__, n) => `mine.${n}`);
    for (const tag of [...tags, "min", "mine", "miner.1", "other.1"]) await store.replace(tag, undefined, some());
    const found: string[] = [];
    for await (const tag of store.tags("mine.")) found.push(tag);
    expect([...new Set(found)].toSorted()).toEqual(tags.toSorted());
  });
});

it("Redis drops a value when it may go", async () => {
  using store = redisAt("drop");
  await store.replace("a", undefined, { bytes: randomBytes(40), dropAt: Date.now() + 100 });
  expect(await store.read("a")).toBeDefined();
  await systemClock.sleep(200);
  expect(await store.read("a")).toBeUndefined();
});
