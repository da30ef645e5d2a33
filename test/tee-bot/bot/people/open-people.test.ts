import { randomBytes } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openPeople } from "../../../../tee-bot/bot/people/open-people.ts";
import type { People } from "../../../../tee-bot/bot/people/people.ts";
import type { SealedPlace } from "../../../../tee-bot/store/open-sealed-records.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { startRedis, type Redis } from "../../../support/redis.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const dayMs = 24 * 60 * 60 * 1000;
const unknown = { model: undefined, isGreeted: false, isPaired: false };

let redis: Redis;
beforeAll(async () => void (redis = await startRedis()));
afterAll(() => redis[Symbol.asyncDispose]());

describe.each(["SQLite", "Redis"])("people in %s", (kind) => {
  let stack: DisposableStack;
  let place: SealedPlace & { clock: ManualClock; log: ReturnType<typeof recordingLog> };
  let people: People;
  beforeEach(() => {
    stack = new DisposableStack();
    place = {
      folder: stack.use(temporaryFolder()).path,
      redisUrl: kind === "Redis" ? redis.url : undefined,
      mode: "durable",
      storageKey: randomBytes(32),
      clock: new ManualClock(),
      log: recordingLog(),
    };
    people = stack.use(openPeople(place));
  });
  afterEach(() => stack.dispose());

  it("are nobody until something is known of them", async () => {
    expect(await people.read("ada")).toEqual(unknown);
  });

  it("are remembered one thing after the other, each apart from the others, also over a restart", async () => {
    await people.change("ada", { isGreeted: true });
    await people.change("ada", { model: "tiny" });
    await people.change("direct:ada", { isPaired: true });
    people[Symbol.dispose]();
    const again = stack.use(openPeople(place));
    expect(await again.read("ada")).toEqual({ model: "tiny", isGreeted: true, isPaired: false });
    expect(await again.read("direct:ada")).toEqual({ ...unknown, isPaired: true });
    await again.change("ada", { model: undefined });
    expect(await again.read("ada")).toEqual({ ...unknown, isGreeted: true });
  });

  it("are forgotten when they say so, and nothing else is", async () => {
    await people.change("ada", { isGreeted: true, isPaired: true, model: "tiny" });
    await people.change("bob", { isGreeted: true });
    await people.forget("ada");
    await people.forget("carol");
    expect(await people.read("ada")).toEqual(unknown);
    expect(await people.read("bob")).toEqual({ ...unknown, isGreeted: true });
  });

  it("are forgotten after a year without a word, and not while they write now and then", async () => {
    await people.change("ada", { isGreeted: true });
    await people.change("bob", { isGreeted: true });
    for (let month = 0; month < 12; month++) {
      place.clock.advance(31 * dayMs);
      await people.read("bob");
    }
    expect(await people.read("ada")).toEqual(unknown);
    expect(await people.read("bob")).toEqual({ ...unknown, isGreeted: true });
  });
});

describe("a file of people", () => {
  it("has no name of them in clear, and is not believed when an older one is put back", async () => {
    using stack = new DisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const log = recordingLog();
    const place: SealedPlace = { folder, mode: "durable", storageKey: randomBytes(32), clock: new ManualClock(), log };
    const path = join(folder, "people.sqlite");
    const first = openPeople(place);
    await first.change("CANARY-ada", { isPaired: true, model: "CANARY-model" });
    first[Symbol.dispose]();
    for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file), "latin1")).not.toContain("CANARY");
    copyFileSync(path, `${path}.copy`);
    const second = openPeople(place);
    await second.change("CANARY-ada", { isPaired: false });
    second[Symbol.dispose]();
    copyFileSync(`${path}.copy`, path);
    const third = stack.use(openPeople(place));
    expect((await third.read("CANARY-ada")).isPaired).toBe(false);
    expect(log.events.map(({ event, fields }) => [event, fields])).toEqual([
      ["person.refused", { reason: "rolled-back" }],
    ]);
  });
});
