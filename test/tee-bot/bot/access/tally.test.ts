import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countAttempt,
  countMessage,
  countRefusal,
  maxPairingAttempts,
  noTally,
  tallyForm,
  type MessageLimits,
  type Tally,
  type Verdict,
} from "../../../../tee-bot/bot/access/tally.ts";

const dayMs = 24 * 60 * 60 * 1000;
const start = 20_000 * dayMs;

/** One person, counted one message after the other. */
class Person {
  tally: Tally = noTally;
  readonly limits: MessageLimits;

  constructor(limits: MessageLimits) {
    this.limits = limits;
  }

  say(timestamp: number, now: number, isCommand = false): Verdict {
    const counted = countMessage(tallyForm.refresh(this.tally, now), { timestamp, isCommand }, this.limits, now);
    this.tally = tallyForm.parse(tallyForm.encode(counted.tally));
    return counted.verdict;
  }
}

const within = { kind: "within" };

describe("the limit of a minute", () => {
  it("takes so many at once, then tells once and says when to come back", () => {
    const person = new Person({ perMinute: 3, perDay: 100 });
    for (const n of [1, 2, 3]) expect(person.say(n, start)).toEqual(within);
    const over = { kind: "over", limit: "minute", until: start + 60_000 };
    expect(person.say(4, start)).toEqual({ ...over, isToBeTold: true });
    expect(person.say(5, start + 1)).toEqual({ ...over, isToBeTold: false });
    expect(person.say(6, start + 60_000)).toEqual(within);
  });

  it("is no stricter after the clock was set back", () => {
    const hourMs = 60 * 60_000;
    const noon = start + 12 * hourMs;
    const person = new Person({ perMinute: 2, perDay: 100 });
    person.say(1, noon);
    expect(person.say(2, noon - hourMs)).toEqual(within);
    const over = { kind: "over", limit: "minute", isToBeTold: true };
    expect(person.say(3, noon - hourMs)).toEqual({ ...over, until: noon - hourMs + 60_000 });
    expect(person.say(4, noon - 2 * hourMs)).toEqual({ ...over, until: noon - 2 * hourMs + 60_000 });
    expect(person.say(5, noon - 2 * hourMs + 60_000)).toEqual(within);
  });

  it("fills evenly", () => {
    const person = new Person({ perMinute: 3, perDay: 100 });
    for (const n of [1, 2, 3]) person.say(n, start);
    expect(person.say(4, start + 19_999)).toMatchObject({ kind: "over" });
    expect(person.say(5, start + 20_000)).toEqual(within);
    expect(person.say(6, start + 20_001)).toMatchObject({ kind: "over" });
  });

  it("takes four commands for one message", () => {
    const person = new Person({ perMinute: 2, perDay: 100 });
    for (let n = 1; n <= 8; n++) expect(person.say(n, start, true)).toEqual(within);
    expect(person.say(9, start, true)).toMatchObject({ kind: "over", limit: "minute" });
  });
});

describe("the limit of a day", () => {
  it("ends at midnight UTC, which the person is told once, and holds for no command", () => {
    const person = new Person({ perMinute: 1_000, perDay: 2 });
    person.say(1, start);
    person.say(2, start);
    const over = { kind: "over", limit: "day", until: start + dayMs };
    expect(person.say(3, start)).toEqual({ ...over, isToBeTold: true });
    expect(person.say(4, start + dayMs - 1)).toEqual({ ...over, isToBeTold: false });
    expect(person.say(5, start + dayMs - 1, true)).toEqual(within);
    expect(person.say(6, start + dayMs)).toEqual(within);
  });
});

describe("a message that is looked at again", () => {
  it("counts once, and is told again what it was told", () => {
    const person = new Person({ perMinute: 1, perDay: 100 });
    for (let n = 0; n < 5; n++) expect(person.say(1, start)).toEqual(within);
    expect(person.say(2, start)).toMatchObject({ kind: "over", isToBeTold: true });
    expect(person.say(2, start + 5)).toMatchObject({ kind: "over", isToBeTold: true });
    expect(person.say(3, start + 5)).toMatchObject({ kind: "over", isToBeTold: false });
  });
});

it("whatever is said when, nobody has more than a minute's share above the even flow, nor more than a day's", () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(40_000), isCommand: fc.boolean() }), { maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 60 }), (said, perMinute, perDay) => {
      const person = new Person({ perMinute, perDay });
      const taken: { at: number; cost: number }[] = [];
      let now = start;
      for (const [n, { waitMs, isCommand }] of said.entries()) {
        now += waitMs;
        if (now >= start + dayMs) break;
        if (person.say(n, now, isCommand).kind === "within") taken.push({ at: now, cost: isCommand ? 0.25 : 1 });
      }
      expect(taken.filter(({ cost }) => cost === 1).length).toBeLessThanOrEqual(perDay);
      for (const [first, { at }] of taken.entries()) {
        let sum = 0;
        for (const one of taken.slice(first)) {
          sum += one.cost;
          expect(sum).toBeLessThanOrEqual(perMinute + ((one.at - at) * perMinute) / 60_000 + 1e-3);
        }
      }
    }),
    { numRuns: 60 },
  );
});

describe("a day", () => {
  it("has five wrong pairing codes of one person, and one refusal that is told", () => {
    let tally = noTally;
    const left: (number | undefined)[] = [];
    for (const timestamp of [1, 2, 2, 3, 4, 5, 6]) {
      const counted = countAttempt(tally, timestamp, start);
      tally = counted.tally;
      left.push(counted.left);
    }
    expect(left).toEqual([4, 3, 3, 2, 1, 0, undefined]);
    expect(tally.attempts).toHaveLength(maxPairingAttempts);
    const told = countRefusal(tally, 7, start);
    expect(told.isToBeTold).toBe(true);
    expect(countRefusal(told.tally, 7, start).isToBeTold).toBe(true);
    expect(countRefusal(told.tally, 8, start).isToBeTold).toBe(false);
  });

  it("is forgotten when it is over", () => {
    const { tally } = countRefusal(noTally, 1, start + 5);
    expect(tallyForm.expiresAt(tally)).toBe(start + dayMs);
    expect(tallyForm.refresh(tally, start + dayMs - 1)).toBe(tally);
    expect(tallyForm.refresh(tally, start + dayMs)).toBe(noTally);
    expect(tallyForm.expiresAt(noTally)).toBeUndefined();
  });
});
