import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import { RedisValues } from "../../../tee-bot/store/redis-values.ts";
import { startRedis, type Redis } from "../../support/redis.ts";
import { recordingLog } from "../support/log.ts";

const deadlineMs = 600;
let redis: Redis;
let log: ReturnType<typeof recordingLog>;
let store: RedisValues;
const openAt = (url: string): RedisValues =>
  new RedisValues({ url, prefix: "test:", clock: systemClock, log, deadlineMs });
beforeEach(async () => {
  redis = await startRedis();
  log = recordingLog();
  store = openAt(redis.url);
});
afterEach(async () => {
  store[Symbol.dispose]();
  await redis[Symbol.asyncDispose]();
});
const put = (tag: string): Promise<boolean> =>
  store.replace(tag, undefined, { bytes: randomBytes(300), dropAt: Date.now() + 60_000 });
const failureOf = async (work: Promise<unknown>): Promise<AppError> => {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(AppError);
  return failure as AppError;
};

describe("a Redis that is down", () => {
  it("is told clearly within the deadline, once in the log, and used again when it is back", async () => {
    expect(await put("a")).toBe(true);
    await redis.kill();
    const startedAt = performance.now();
    for (const failure of await Promise.all([failureOf(put("b")), failureOf(store.read("a"))]))
      expect([failure.code, failure.detail]).toEqual(["overloaded", expect.stringContaining("Redis does not answer")]);
    expect(performance.now() - startedAt).toBeLessThan(deadlineMs + 500);
    expect(log.events.filter(({ event }) => event === "redis.failed")).toHaveLength(1);
    await redis.start();
    await expect.poll(() => put("c").catch(() => false), { timeout: 5_000 }).toBe(true);
  });

  it("does not run later what was told to have failed", async () => {
    await put("a");
    await redis.kill();
    await failureOf(put("b"));
    await redis.start();
    await expect.poll(() => put("c").catch(() => false), { timeout: 5_000 }).toBe(true);
    expect(await store.read("b")).toBeUndefined();
  });

  it("is waited for when it is back within the deadline", async () => {
    await put("a");
    await redis.kill();
    const waiting = put("b");
    await redis.start();
    expect(await waiting).toBe(true);
  });

  it("has only so many commands wait for it; further ones fail at once", async () => {
    await put("a");
    await redis.kill();
    await failureOf(put("b"));
    const waiting = Array.from({ length: 1_500 }, () => failureOf(store.read("a")));
    const startedAt = performance.now();
    await Promise.race(waiting);
    expect(performance.now() - startedAt).toBeLessThan(deadlineMs / 2);
    await Promise.all(waiting);
  });

  it("is told when it was never there, and used once it comes", async () => {
    await redis.kill();
    using never = openAt(redis.url);
    expect((await failureOf(never.read("a"))).detail).toContain("Redis does not answer");
    expect(log.events).toContainEqual(
      expect.objectContaining({ event: "redis.failed", fields: { error: "ECONNREFUSED" } }),
    );
    await redis.start();
    await expect.poll(() => never.read("a").catch(() => "failed"), { timeout: 5_000 }).toBeUndefined();
  });
});

it("a Redis that stands still does not hold anybody up beyond the deadline", async () => {
  await put("a");
  redis.freeze();
  const startedAt = performance.now();
  await failureOf(store.read("a"));
  expect(performance.now() - startedAt).toBeLessThan(deadlineMs + 500);
  redis.thaw();
  await expect.poll(() => put("b").catch(() => false), { timeout: 5_000 }).toBe(true);
});

it("an address that is none is refused without being repeated, and a password is not logged", async () => {
  expect(() => openAt("http://:secret@example.test")).toThrow(/REDIS_URL is no address(?!.*secret)/);
  await using locked = await startRedis({ password: "right" });
  using refused = openAt(locked.url.replace("redis://", "redis://:secret@"));
  await failureOf(refused.read("a"));
  expect(log.events.map(({ fields }) => fields)).toEqual([
    { error: expect.stringMatching(/^(WRONGPASS|NOAUTH)$/) as string },
  ]);
  using allowed = openAt(locked.url.replace("redis://", "redis://:right@"));
  expect(await allowed.read("a")).toBeUndefined();
});
