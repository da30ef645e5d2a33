import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideAdmission,
  nameSetOf,
  type AdmittedOrder,
  type Budget,
  type QueuedOrder,
} from "../../../shared/acme/budget.ts";
import { parseIssuanceLimits } from "../../../shared/acme/limits.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const now = Date.UTC(2026, 10, 21);
const limits = parseIssuanceLimits("");

/** What the holder of a budget does with its decisions. */
class Holder {
  now = now;
  admitted: (AdmittedOrder & { order: string })[] = [];
  queue: QueuedOrder[] = [];
  readonly budget: Budget["limits"];

  constructor(budget: Budget["limits"] = limits) {
    this.budget = budget;
  }

  ask(order: string, names = order) {
    const wanted = { order, names };
    const admission = decideAdmission(
      { limits: this.budget, admitted: this.admitted, queue: this.queue },
      wanted,
      this.now,
    );
    if (admission.admitted) {
      this.queue = this.queue.filter((queued) => queued.order !== order);
      this.admitted.push({ order, names, at: this.now, failed: false });
    } else if (!this.queue.some((queued) => queued.order === order)) this.queue.push(wanted);
    return admission;
  }
}

const range = (length: number): string[] => Array.from({ length }, (_, at) => `node-${at}`);

describe("a budget of 50 certificates in a week", () => {
  it("lets the first 50 of 200 through, and gives the others their places", () => {
    const holder = new Holder();
    const answers = range(200).map((order) => holder.ask(order));
    expect(answers.map(({ admitted }) => admitted)).toEqual(range(200).map((_, at) => at < 50));
    const places = answers.flatMap((answer) => (answer.admitted ? [] : answer.place));
    expect(places).toEqual(Array.from({ length: 150 }, (_, at) => at + 1));
  });

  it("estimates when each of them has its turn", () => {
    const holder = new Holder();
    const answers = range(200).map((order) => holder.ask(order));
    const estimates = answers.flatMap((answer) => (answer.admitted ? [] : (answer.estimatedAt - now) / dayMs));
    expect(estimates.filter((days) => days === 7)).toHaveLength(50);
    expect(estimates.filter((days) => days === 14)).toHaveLength(50);
    expect(estimates.filter((days) => days === 21)).toHaveLength(50);
  });

  it("serves them in order of arrival, whoever asks first when there is room again", () => {
    const holder = new Holder();
    for (const order of range(52)) holder.ask(order);
    holder.admitted[10] = { ...(holder.admitted[10] as (typeof holder.admitted)[0]), failed: true };
    expect(holder.ask("node-51")).toMatchObject({ admitted: false, place: 2 });
    expect(holder.ask("newcomer")).toMatchObject({ admitted: false, place: 3 });
    expect(holder.ask("node-50")).toEqual({ admitted: true });
    expect(holder.ask("node-51")).toMatchObject({ admitted: false, place: 1 });
  });

  it("makes those who wait ask again within 15 minutes", () => {
    const holder = new Holder();
    const answers = range(60).map((order) => holder.ask(order));
    for (const answer of answers) if (!answer.admitted) expect(answer.retryAfterMs).toBe(15 * 60_000);
  });
});

describe("the limit on duplicates", () => {
  it("holds up nobody else", () => {
    const holder = new Holder();
    for (const order of range(5)) holder.ask(order, "a.test,b.test");
    expect(holder.ask("sixth", "a.test,b.test")).toMatchObject({
      admitted: false,
      place: 1,
      estimatedAt: now + 7 * dayMs,
    });
    expect(holder.ask("other", "c.test")).toEqual({ admitted: true });
  });

  it("takes no certificate from those who come later", () => {
    const holder = new Holder(parseIssuanceLimits("certificates=3/7d, duplicates=1/7d"));
    holder.ask("first", "a.test");
    expect(holder.ask("again", "a.test").admitted).toBe(false);
    expect([holder.ask("b"), holder.ask("c")]).toEqual([{ admitted: true }, { admitted: true }]);
  });

  it("counts sets of names, in whatever order and case", () => {
    expect(nameSetOf(["B.test", "a.test"])).toBe(nameSetOf(["a.test", "b.TEST"]));
    expect(nameSetOf(["a.test"])).not.toBe(nameSetOf(["a.test", "b.test"]));
  });
});

describe("the limit on orders", () => {
  it("counts failed ones too", () => {
    const holder = new Holder(parseIssuanceLimits("orders=3/3h"));
    for (const order of range(3)) holder.ask(order);
    holder.admitted = holder.admitted.map((one) => ({ ...one, failed: true }));
    expect(holder.ask("fourth")).toMatchObject({ admitted: false, estimatedAt: now + 3 * hourMs });
    holder.now += 3 * hourMs;
    expect(holder.ask("fourth")).toEqual({ admitted: true });
  });
});

describe("a budget", () => {
  it("is not held up for longer by a clock that was set back", () => {
    const holder = new Holder(parseIssuanceLimits("certificates=1/7d"));
    holder.now += 365 * dayMs;
    holder.ask("first");
    holder.now = now;
    expect(holder.ask("second")).toMatchObject({ estimatedAt: now + 7 * dayMs });
  });

  it("never lets more through than any limit allows in any window, loses nobody, and keeps its word", () => {
    const steps = fc.array(fc.record({ node: fc.nat(15), waitMs: fc.nat(4 * hourMs), fails: fc.boolean() }), {
      minLength: 20,
      maxLength: 120,
    });
    fc.assert(
      fc.property(steps, (asked) => {
        const small = parseIssuanceLimits("certificates=4/1d, duplicates=2/1d, orders=6/5h");
        const holder = new Holder(small);
        for (const [at, { node, waitMs, fails }] of asked.entries()) {
          holder.now += waitMs;
          const order = `order-${node}`;
          if (holder.admitted.some((one) => one.order === order)) continue;
          const admission = holder.ask(order, `names-${node % 3}`);
          const mine = holder.admitted.find((one) => one.order === order);
          if (mine && fails && at % 2 === 0) Object.assign(mine, { failed: true });
          if (!admission.admitted) expect(admission.estimatedAt).toBeGreaterThan(holder.now);
        }
        const within = (times: readonly number[], { count, windowMs }: { count: number; windowMs: number }): void => {
          for (const at of times)
            expect(times.filter((other) => other > at - windowMs && other <= at).length).toBeLessThanOrEqual(count);
        };
        within(
          holder.admitted.map(({ at }) => at),
          small.orders,
        );
        for (let waits = 0; holder.queue.length > 0 && waits < 500; waits++) {
          holder.now += hourMs;
          for (const { order, names } of holder.queue) holder.ask(order, names);
        }
        expect(holder.queue).toEqual([]);
        const orders = holder.admitted.map(({ order }) => order);
        expect(new Set(orders).size).toBe(orders.length);
      }),
      { numRuns: 60 },
    );
  });
});
