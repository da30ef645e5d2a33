import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { parseIssuanceLimits } from "../../../shared/acme/limits.ts";
import type { Admission } from "../../../shared/acme/ports.ts";
import { acmeAccount } from "../../../workers/acme/account-stub.ts";
import { forgottenMs, IssuanceQueue } from "../../../workers/acme/issuance-queue.ts";

const minute = 60_000;
const day = 86_400_000;

interface World {
  /** Lets time pass; a negative length puts the clock back. */
  readonly pass: (ms: number) => void;
  /** When it began. */
  readonly start: number;
  readonly ask: (order: string, options?: { names?: string[]; exempt?: boolean; queue?: boolean }) => Admission;
  readonly settle: (order: string, outcome: "issued" | "failed") => void;
}

let objects = 0;

/** Within an object of its own, on whose tables a queue with these limits is put. */
function inQueue(limits: string, body: (world: World) => void): Promise<void> {
  const stub = env.ACCOUNTS.get(env.ACCOUNTS.idFromName(`https://queue${++objects}.example/directory`));
  return runInDurableObject(stub, (_, { storage }) => {
    const start = Date.UTC(2026, 0, 1);
    let now = start;
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const queue = new IssuanceQueue({ storage, limits: parseIssuanceLimits(limits), clock });
    body({
      pass: (ms) => (now += ms),
      start,
      ask: (order, { names = [`${order}.example`], exempt = false, queue: queued = true } = {}) =>
        queue.admit({ order, node: "n", hostnames: names, exempt }, { queue: queued }),
      settle: (order, outcome) => queue.settle(order, outcome),
    });
  });
}

const placeOf = (admission: Admission): number => (admission.admitted ? 0 : admission.place);

test("two hundred orders at once against a budget of fifty: the first fifty are admitted, the others stand in line", async () => {
  const account = acmeAccount(env, "https://rush.example/directory");
  const ask = (nth: number) =>
    account.admit({ order: `order ${nth}`, node: "n", hostnames: [`n${nth}.example`], exempt: false }, { queue: true });
  const all = Array.from({ length: 200 }, (_, nth) => nth);
  const places = (await Promise.all(all.map(ask))).map(placeOf);
  const expected = all.map((nth) => Math.max(0, nth - 50 + 1));
  expect(places).toEqual(expected);
  const again = (await Promise.all(all.toReversed().map(ask))).map(placeOf);
  expect(again).toEqual(expected.toReversed());
});

test("orders that wait are all admitted in the end, each once, in the order of arrival and as soon as was estimated", async () => {
  await inQueue("certificates=10/7d", ({ ask, pass, start }) => {
    const waiting = new Map(
      Array.from({ length: 40 }, (_, nth) => [`order ${nth}`, start + Math.floor(nth / 10) * 7 * day]),
    );
    const served: string[] = [];
    for (let now = start; waiting.size > 0; now += 90 * minute) {
      for (const [order, due] of waiting) {
        const admission = ask(order);
        expect(admission.admitted ? now - due < 90 * minute : admission.estimatedAt === due, order).toBe(true);
        if (!admission.admitted) continue;
        served.push(order);
        waiting.delete(order);
      }
      pass(90 * minute);
    }
    expect(served).toEqual(Array.from({ length: 40 }, (_, nth) => `order ${nth}`));
  });
});

describe("an order that was admitted", () => {
  test("is admitted again without being counted again", async () => {
    await inQueue("certificates=2/7d", ({ ask }) => {
      for (let nth = 0; nth < 3; nth++) expect(ask("a")).toEqual({ admitted: true });
      expect(ask("b")).toEqual({ admitted: true });
      expect(ask("c")).toMatchObject({ admitted: false, place: 1 });
    });
  });

  test("gives its certificate back when it fails, once, and not the order", async () => {
    await inQueue("certificates=1/7d, orders=3/3h", ({ ask, settle }) => {
      ask("a");
      settle("a", "failed");
      settle("a", "failed");
      expect(ask("b")).toEqual({ admitted: true });
      settle("b", "failed");
      expect(ask("c")).toEqual({ admitted: true });
      settle("c", "failed");
      expect(ask("d"), "the fourth order in three hours").toMatchObject({ admitted: false });
    });
  });

  test("has used its certificate from the moment it was issued", async () => {
    await inQueue("certificates=1/7d", ({ ask, settle, pass, start }) => {
      ask("a");
      pass(day);
      settle("a", "issued");
      pass(day);
      settle("a", "issued");
      settle("a", "failed");
      expect(ask("b")).toMatchObject({ admitted: false, estimatedAt: start + 8 * day });
    });
  });

  test("and failed is asked for anew like any other", async () => {
    await inQueue("certificates=1/7d", ({ ask, settle }) => {
      ask("a");
      settle("a", "failed");
      ask("b");
      expect(ask("a")).toMatchObject({ admitted: false, place: 1 });
    });
  });
});

describe("a queue", () => {
  test("keeps the place of one that asks again, and nobody passes it", async () => {
    await inQueue("certificates=1/7d", ({ ask, settle }) => {
      ask("a");
      expect(placeOf(ask("b"))).toBe(1);
      expect(placeOf(ask("c"))).toBe(2);
      expect(placeOf(ask("b"))).toBe(1);
      settle("a", "failed");
      expect(placeOf(ask("d")), "d comes after b and c").toBe(3);
      expect(placeOf(ask("c"))).toBe(2);
      expect(placeOf(ask("b"))).toBe(0);
    });
  });

  test("is not entered by one that only asks", async () => {
    await inQueue("certificates=1/7d", ({ ask }) => {
      ask("a");
      expect(placeOf(ask("b", { queue: false }))).toBe(1);
      expect(placeOf(ask("c"))).toBe(1);
    });
  });

  test("forgets one that has not asked for two hours, and closes up", async () => {
    await inQueue("certificates=1/7d", ({ ask, pass }) => {
      ask("a");
      ask("gone");
      expect(placeOf(ask("b"))).toBe(2);
      pass(forgottenMs - 1);
      expect(placeOf(ask("b"))).toBe(2);
      pass(1);
      expect(placeOf(ask("b"))).toBe(1);
    });
  });

  test("is left by an order that is given up", async () => {
    await inQueue("certificates=1/7d", ({ ask, settle }) => {
      ask("a");
      ask("b");
      settle("b", "failed");
      expect(placeOf(ask("c"))).toBe(1);
    });
  });

  test("is passed by renewals that do not count, however long it is", async () => {
    await inQueue("certificates=1/7d, orders=1/3h", ({ ask }) => {
      ask("a");
      ask("b");
      for (let nth = 0; nth < 20; nth++) expect(ask(`renewal ${nth}`, { exempt: true })).toEqual({ admitted: true });
      expect(placeOf(ask("b"))).toBe(1);
    });
  });

  test("does not make others wait for one that waits for its own names", async () => {
    await inQueue("duplicates=1/7d", ({ ask }) => {
      ask("a", { names: ["x.example", "Y.example"] });
      expect(placeOf(ask("again", { names: ["y.example", "x.example"] }))).toBe(1);
      expect(ask("other")).toEqual({ admitted: true });
    });
  });
});

describe("a clock", () => {
  test("that is put back holds up nobody for longer than the window", async () => {
    await inQueue("certificates=1/7d", ({ ask, pass }) => {
      ask("a");
      ask("b");
      pass(-3_650 * day);
      expect(placeOf(ask("b"))).toBe(1);
      for (let days = 0; days < 7; days++) {
        ask("b");
        pass(day);
      }
      expect(placeOf(ask("b"))).toBe(0);
    });
  });

  test("that is put back does not keep the place of one that is gone", async () => {
    await inQueue("certificates=1/7d", ({ ask, pass }) => {
      ask("a");
      ask("gone");
      pass(-day);
      expect(placeOf(ask("b"))).toBe(2);
      pass(forgottenMs / 2);
      ask("b");
      pass(forgottenMs / 2);
      expect(placeOf(ask("b"))).toBe(1);
    });
  });

  test("that is put forward and back loses nobody's place", async () => {
    await inQueue("certificates=1/7d", ({ ask, pass }) => {
      ask("a");
      ask("b");
      ask("c");
      pass(-day);
      expect(placeOf(ask("c"))).toBe(2);
      expect(placeOf(ask("b"))).toBe(1);
    });
  });
});

test("what no window reaches any more is not kept", async () => {
  const stub = env.ACCOUNTS.get(env.ACCOUNTS.idFromName(`https://queue${++objects}.example/directory`));
  const rows = await runInDurableObject(stub, (_, { storage }) => {
    let now = 0;
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const queue = new IssuanceQueue({ storage, limits: parseIssuanceLimits("certificates=50/7d"), clock });
    for (let nth = 0; nth < 60; nth++) {
      now += day;
      queue.admit({ order: `${nth}`, node: "n", hostnames: [`${nth}.example`], exempt: false }, { queue: true });
      if (nth % 2 === 0) queue.settle(`${nth}`, "failed");
    }
    return storage.sql.exec<{ count: number }>("SELECT count(*) count FROM admissions").one().count;
  });
  expect(rows).toBeLessThanOrEqual(7);
});
