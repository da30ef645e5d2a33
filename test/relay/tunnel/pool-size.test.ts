import { array, assert, nat, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { decidePoolSize, decideRefill, decideTrim, isWorthAFrame } from "../../../relay/tunnel/pool-size.ts";

const limits = { floor: 32, cap: 512 };

describe("pool size", () => {
  test("is the floor for a node that nobody visits", () => {
    expect(decidePoolSize({ arrivalsPerSecond: 0, roundTripMs: 40, ...limits })).toBe(32);
  });

  test("covers what arrives in three round trips", () => {
    expect(decidePoolSize({ arrivalsPerSecond: 1_000, roundTripMs: 40, ...limits })).toBe(120);
  });

  test("does not exceed the cap", () => {
    expect(decidePoolSize({ arrivalsPerSecond: 1e6, roundTripMs: 1_000, ...limits })).toBe(512);
  });
});

describe("pool refill", () => {
  const whole = { size: 32, idle: 32, waiting: 0 };
  const stock = { cap: 512, promised: 0, allowance: 4_000 };

  test.each<[string, Partial<typeof whole>, Partial<typeof stock>, number]>([
    ["asks for nothing when all are there", {}, {}, 0],
    ["asks for one when one was claimed", { idle: 31 }, {}, 1],
    ["counts those on their way", { idle: 0 }, { promised: 32 }, 0],
    ["asks for those that wait as well", { idle: 0, waiting: 10 }, { promised: 32 }, 10],
    ["holds to the cap", { idle: 0, waiting: 2_000 }, { promised: 510 }, 2],
    ["holds to the rate", { idle: 0 }, { allowance: 7 }, 7],
    ["asks for nothing beyond the rate", { idle: 0 }, { allowance: -5 }, 0],
    ["asks for nothing when a burst has left more than needed", { idle: 100 }, {}, 0],
  ])("%s", (_, part, changed, expected) => {
    expect(decideRefill({ ...stock, ...changed, parts: [{ ...whole, ...part }] })).toBe(expected);
  });

  test("asks for what each thread lacks, whatever another has too much", () => {
    const [poor, rich] = [
      { ...whole, idle: 20 },
      { ...whole, idle: 60 },
    ];
    expect(decideRefill({ ...stock, parts: [poor, rich, poor] })).toBe(24);
  });

  test("asks for several when one waits, since they may come to other threads, even when those have the cap's fill", () => {
    const parts = [
      { size: 32, idle: 0, waiting: 1 },
      { size: 32, idle: 512, waiting: 0 },
    ];
    const promised = 2;
    expect(decideRefill({ ...stock, promised, parts })).toBe(2 * (1 + 3) - promised);
  });

  test("never asks for more than rate and twice the cap allow", () => {
    const count = nat(2_000);
    assert(
      property(array(tuple(count, count, count)), count, count, (amounts, promised, allowance) => {
        const parts = amounts.map(([size, idle, waiting]) => ({ size, idle, waiting }));
        const refill = decideRefill({ parts, cap: 512, promised, allowance });
        expect(refill).toBeGreaterThanOrEqual(0);
        expect(refill).toBeLessThanOrEqual(allowance);
        const idle = parts.reduce((sum, part) => sum + part.idle, 0);
        if (refill > 0) expect(promised + refill).toBeLessThanOrEqual(512 + Math.max(0, 512 - idle));
      }),
    );
  });

  test("gives up what is more than twice the size", () => {
    const trims = [
      { size: 32, idle: 64 },
      { size: 32, idle: 70 },
      { size: 1, idle: 8 },
      { size: 1, idle: 9 },
    ].map(decideTrim);
    expect(trims).toEqual([0, 6, 0, 1]);
  });
});

/** Visitors and connections come to threads by chance; a connection is there some steps after it was asked for. */
describe("a pool in parts, over a long time", () => {
  test.each([2, 4, 16])("keeps %i threads supplied and wastes little", (threads) => {
    const random = randomOf(threads);
    const landing = (): number => Math.floor(random() * threads);
    const stepsToCome = 3;
    const steps = 100_000;
    const size = Math.ceil(32 / threads);
    const parts = Array.from({ length: threads }, () => ({ size, idle: 0, waiting: 0 }));
    const part = (at: number) => parts[at] ?? { size, idle: 0, waiting: 0 };
    const coming: number[] = Array.from({ length: stepsToCome }, () => 0);
    let [visitors, waited, trimmed, mostIdle, longest] = [0, 0, 0, 0, 0];
    const waitingSince = parts.map(() => 0);
    for (let step = 0; step < steps; step++) {
      for (let arrived = coming.shift() ?? 0; arrived > 0; arrived--) {
        const here = part(landing());
        if (here.waiting > 0) here.waiting--;
        else here.idle++;
      }
      const burst = step % 1_000 === 999 ? 100 : Math.floor(random() * 3);
      for (let visit = 0; visit < burst; visit++) {
        const here = part(landing());
        visitors++;
        if (here.idle > 0) here.idle--;
        else waited += Number((here.waiting += 1) > 0);
      }
      for (const [at, { waiting }] of parts.entries()) {
        if (waiting === 0) waitingSince[at] = step;
        longest = Math.max(longest, step - (waitingSince[at] ?? step));
      }
      const promised = coming.reduce((sum, count) => sum + count, 0);
      coming.push(decideRefill({ parts, cap: 512, promised, allowance: 4_000 }));
      if (step % 250 === 0)
        for (const here of parts) {
          const excess = decideTrim(here);
          here.idle -= excess;
          trimmed += excess;
        }
      mostIdle = Math.max(
        mostIdle,
        parts.reduce((sum, { idle }) => sum + idle, 0),
      );
    }
    expect(longest).toBeLessThanOrEqual(4 * stepsToCome);
    expect(waited / visitors).toBeLessThan(0.1);
    expect(trimmed / visitors).toBeLessThan(threads === 16 ? 0.4 : 0.2);
    expect(mostIdle).toBeLessThan(1_024); // what a node keeps
  });
});

/** The same numbers each time (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("a frame to the node", () => {
  const whole = { size: 32, idle: 24, waiting: 0 };

  test("is worth it once a quarter of the stock lacks, not for each visitor", () => {
    expect([1, 7, 8, 32].map((count) => isWorthAFrame(count, [whole]))).toEqual([false, false, true, true]);
  });

  test("is worth it at once when a visitor waits", () => {
    expect(isWorthAFrame(1, [whole, { ...whole, waiting: 1 }])).toBe(true);
  });

  test("is worth it for the only connection of a small pool", () => {
    expect(isWorthAFrame(1, [{ ...whole, size: 1 }])).toBe(true);
  });
});
