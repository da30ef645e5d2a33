import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { AppError } from "../../../../shared/errors.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import type { Access, Admission } from "../../../../tee-bot/bot/access/access.ts";
import { openAccess } from "../../../../tee-bot/bot/access/open-access.ts";
import { PairingCodes } from "../../../../tee-bot/bot/access/pairing-codes.ts";
import { chatName, type MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import { openPeople } from "../../../../tee-bot/bot/people/open-people.ts";
import type { People } from "../../../../tee-bot/bot/people/people.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";
import type { SealedPlace } from "../../../../tee-bot/store/open-sealed-records.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { startRedis } from "../../../support/redis.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { alice, bob, team } from "../support/events.ts";
import { inGroup, message } from "../support/message.ts";

const dayMs = 24 * 60 * 60 * 1000;
const silence: Admission = { admitted: false, say: undefined };
const toBot = { isMention: true };

let stack: DisposableStack;
let place: SealedPlace & { clock: ManualClock; log: ReturnType<typeof recordingLog> };
let people: People;
let codes: PairingCodes;
let access: Access;
const open = (settings: unknown = {}): Access & Disposable =>
  stack.use(openAccess({ ...place, settings: signalSettingsSchema.parse(settings), people, codes }));
beforeEach(() => {
  stack = new DisposableStack();
  const clock = new ManualClock(20_000 * dayMs);
  const folder = stack.use(temporaryFolder()).path;
  place = { folder, mode: "durable", storageKey: randomBytes(32), clock, log: recordingLog() };
  people = stack.use(openPeople(place));
  codes = new PairingCodes({ clock, isWanted: true });
  access = open();
});
afterEach(() => stack.dispose());

const say = (event: MessageEvent, isCommand = false): Promise<Admission> => access.admit(event, isCommand);
const sentenceOf = (admission: Admission): string | undefined => (admission.admitted ? undefined : admission.say);

describe("who may talk", () => {
  it("is greeted at the first message, once, also when that is looked at again after a crash", async () => {
    expect(await say(message("hello", 1))).toEqual({ admitted: true, isFirst: true });
    access = open();
    expect(await say(message("hello", 1))).toEqual({ admitted: true, isFirst: true });
    expect(await say(message("hello again", 2))).toEqual({ admitted: true, isFirst: false });
    expect(await say(message("hello", 3, { person: bob }))).toEqual({ admitted: true, isFirst: true });
  });

  it("is greeted once in a group, whoever it is", async () => {
    expect(await say(message("hello", 1, { ...inGroup, ...toBot }))).toEqual({ admitted: true, isFirst: true });
    expect(await say(message("hello", 2, { ...inGroup, ...toBot, person: bob }))).toEqual({
      admitted: true,
      isFirst: false,
    });
    expect(await say(message("hello", 3))).toEqual({ admitted: true, isFirst: true });
  });

  it("is not looked at in a group before the bot is addressed", async () => {
    access = open({ groups: { policy: "pairing" } });
    const { code } = codes.make();
    expect(await say(message(code, 1, inGroup))).toEqual(silence);
    expect(codes.redeem(code.replace("-", ""))).toBeDefined();
    expect((await people.read(chatName(inGroup.chat))).isGreeted).toBe(false);
  });
});

describe("who may not talk", () => {
  beforeEach(() => (access = open({ people: { policy: "allow-list" }, groups: { policy: "allow-list" } })));

  it("hears one sentence a day alone with the bot, again only for the same message", async () => {
    expect(sentenceOf(await say(message("hello", 1)))).toContain("give the operator your id");
    expect(sentenceOf(await say(message("hello", 1)))).toContain("give the operator your id");
    expect(sentenceOf(await say(message("hello", 1)))).toContain(alice);
    expect(await say(message("hello?", 2))).toEqual(silence);
    expect(await say(message("!help", 3), true)).toEqual(silence);
    expect(sentenceOf(await say(message("hello", 4, { person: bob })))).toContain("give the operator your id");
    place.clock.advance(dayMs);
    expect(sentenceOf(await say(message("hello", 5)))).toContain("give the operator your id");
  });

  it("hears nothing in a group", async () => {
    expect(await say(message("hello", 1, { ...inGroup, ...toBot }))).toEqual(silence);
    expect(await say(message("!help", 2, inGroup), true)).toEqual(silence);
  });
});

describe("a pairing code", () => {
  beforeEach(() => (access = open({ people: { policy: "pairing" }, groups: { policy: "pairing" } })));

  it("lets in the person who sends it, from then on, and nobody else", async () => {
    expect(sentenceOf(await say(message("hello", 1)))).toContain("send the code");
    const { code } = codes.make();
    expect(sentenceOf(await say(message(code, 2)))).toContain("you are paired");
    expect(sentenceOf(await say(message(code, 3, { person: bob })))).toContain("not good");
    access = open({ people: { policy: "pairing" } });
    expect(await say(message("hello", 4))).toMatchObject({ admitted: true });
  });

  it("has the same answer when its message is looked at again after a crash, and goes to no model", async () => {
    const { code } = codes.make();
    await say(message(code, 1));
    expect(sentenceOf(await say(message(code, 1)))).toContain("you are paired");
  });

  it("of a person does not open a group, nor that of a group its members' direct chats", async () => {
    await say(message(codes.make().code, 1));
    expect(await say(message("hello", 2, { ...inGroup, ...toBot }))).toEqual(silence);
    const inside = message(codes.make().code, 3, { ...inGroup, ...toBot, person: bob });
    expect(sentenceOf(await say(inside))).toContain("this group is paired");
    expect(await say(message("hello", 4, { ...inGroup, ...toBot }))).toMatchObject({ admitted: true });
    expect(sentenceOf(await say(message("hello", 5, { person: bob })))).toContain("send the code");
  });

  it("can be tried five times a day, also with restarts in between", async () => {
    for (const timestamp of [1, 2, 3, 4]) {
      const left = 5 - timestamp;
      expect(sentenceOf(await say(message("ABCDEFGH", timestamp)))).toContain(`You can try ${left} more time`);
    }
    access = open({ people: { policy: "pairing" } });
    expect(sentenceOf(await say(message("ABCDEFGH", 5)))).toContain("tomorrow");
    expect(await say(message("ABCDEFGH", 6))).toEqual(silence);
    expect(await say(message(codes.make().code, 7))).toEqual(silence);
    place.clock.advance(dayMs);
    expect(sentenceOf(await say(message(codes.make().code, 8)))).toContain("you are paired");
  });

  it("is not used up when the pairing cannot be stored", async () => {
    const { code } = codes.make();
    const kept = people;
    const fail = (): Promise<void> => Promise.reject(new AppError("overloaded", "The disk is full."));
    people = { read: (name) => kept.read(name), change: fail, forget: fail, [Symbol.dispose]: () => {} };
    access = open({ people: { policy: "pairing" } });
    await expect(say(message(code, 1))).rejects.toThrow("The disk is full.");
    people = kept;
    access = open({ people: { policy: "pairing" } });
    expect(sentenceOf(await say(message(code, 2)))).toContain("you are paired");
  });
});

describe("the limits", () => {
  const limits = { perMinute: 2, perDay: 3 };
  beforeEach(() => (access = open({ limits })));

  it("of a minute are told once, with when to come back, and count over all chats of a person", async () => {
    expect(await say(message("1", 1))).toMatchObject({ admitted: true });
    expect(await say(message("2", 2, { ...inGroup, ...toBot }))).toMatchObject({ admitted: true });
    expect(sentenceOf(await say(message("3", 3)))).toContain("2 messages a minute");
    expect(await say(message("4", 4))).toEqual(silence);
    expect(await say(message("1", 5, { person: bob }))).toMatchObject({ admitted: true });
    place.clock.advance(60_000);
    expect(await say(message("5", 6))).toMatchObject({ admitted: true });
  });

  it("of a day hold over a restart, and end at midnight UTC", async () => {
    for (const timestamp of [1, 2, 3]) {
      place.clock.advance(60_000);
      expect(await say(message("hello", timestamp))).toMatchObject({ admitted: true });
    }
    access = open({ limits });
    expect(sentenceOf(await say(message("hello", 4)))).toContain("in about 24 hours");
    expect(await say(message("!help", 5), true)).toMatchObject({ admitted: true });
    place.clock.advance(dayMs);
    expect(await say(message("hello", 6))).toMatchObject({ admitted: true });
  });

  it("hold for no operator", async () => {
    access = open({ limits, operators: [alice] });
    for (let n = 1; n <= 20; n++) expect(await say(message("hello", n))).toMatchObject({ admitted: true });
  });

  it("are not evaded by !forget me, which leaves the count of the day", async () => {
    await say(message("1", 1));
    await say(message("2", 2));
    await people.forget(alice);
    expect(sentenceOf(await say(message("3", 3)))).toContain("2 messages a minute");
  });
});

it("the limits hold in Redis, too, where several processes may count", async () => {
  await using redis = await startRedis();
  const clock = Object.assign(new ManualClock(20_000 * dayMs), { sleep: (ms: number) => systemClock.sleep(ms) }); // they wait for each other
  place = { ...place, redisUrl: redis.url, clock };
  const limits = { perMinute: 100, perDay: 5 };
  const both = [open({ limits }), open({ limits })];
  const admitted = await Promise.all(
    Array.from({ length: 20 }, (_, n) => both[n % 2]!.admit(message("hello", n + 1), false)),
  );
  expect(admitted.filter((one) => one.admitted)).toHaveLength(5);
  expect(admitted.filter((one) => sentenceOf(one) !== undefined)).toHaveLength(1);
});

it("no file and no log line has a name, a group or a word in clear", async () => {
  access = open({ people: { policy: "pairing" }, limits: { perMinute: 1 } });
  const { code } = codes.make();
  const canary = "CANARY-words";
  await say(message(code, 1));
  for (const timestamp of [2, 3, 4]) await say(message(canary, timestamp, { name: new Sensitive(canary) }));
  await say(message(canary, 5, { ...inGroup, ...toBot }));
  const secrets = [alice, bob, team, canary, code, code.replace("-", "")];
  for (const secret of secrets) {
    for (const file of readdirSync(place.folder))
      expect(readFileSync(join(place.folder, file), "latin1")).not.toContain(secret);
    expect(JSON.stringify(place.log.events)).not.toContain(secret);
  }
});
