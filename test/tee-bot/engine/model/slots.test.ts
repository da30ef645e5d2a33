import { describe, expect, it } from "vitest";
import { Slots } from "../../../../tee-bot/engine/model/slots.ts";

const never = new AbortController().signal;
const any = (): number => 0;

describe("slots", () => {
  it("are lent to one at a time, and to those who wait in their order", async () => {
    const slots = new Slots(["one"], 2);
    const first = await slots.take(any, never);
    const order: string[] = [];
    const second = slots.take(any, never)?.then((slot) => (order.push("second"), slot));
    const third = slots.take(any, never)?.then((slot) => (order.push("third"), slot));
    expect([slots.busy, slots.waiting]).toEqual([1, 2]);
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose](); // twice is once
    (await second)?.[Symbol.dispose]();
    (await third)?.[Symbol.dispose]();
    expect(order).toEqual(["second", "third"]);
    expect([slots.busy, slots.waiting]).toEqual([0, 0]);
  });

  it("are refused when too many wait", async () => {
    const slots = new Slots(["one"], 1);
    await slots.take(any, never);
    void slots.take(any, never);
    expect(slots.take(any, never)).toBeUndefined();
  });

  it("forget who leaves the line", async () => {
    const slots = new Slots(["one"], 1);
    const first = await slots.take(any, never);
    const leaver = new AbortController();
    const left = slots.take(any, leaver.signal);
    leaver.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    const next = slots.take(any, never);
    first?.[Symbol.dispose]();
    expect((await next)?.item).toBe("one");
  });

  it("give the free one that suits best", async () => {
    const slots = new Slots(["short", "much longer"], 1);
    expect((await slots.take((item) => item.length, never))?.item).toBe("much longer");
  });
});
