import { describe, expect, test, vi } from "vitest";
import { PendingHellos } from "../../../relay/door/pending-hellos.ts";
import { systemClock } from "../../../shared/clock.ts";

function pending({ max = 4, maxPerAddress = 2, ms = 60_000 } = {}) {
  const dropped: [string, string][] = [];
  const onDropped = (item: string, reason: string): void => void dropped.push([item, reason]);
  return { dropped, hellos: new PendingHellos<string>({ max, maxPerAddress, ms, clock: systemClock, onDropped }) };
}

describe("pending hellos", () => {
  test("drop the oldest of an address that holds too many, and nobody else's", () => {
    const { hellos, dropped } = pending();
    hellos.add("other", "10.0.0.1");
    for (const item of ["one", "two", "three"]) hellos.add(item, "10.0.0.2");
    expect(dropped).toEqual([["one", "too-many-hellos"]]);
    expect(hellos.size).toBe(3);
  });

  test("drop the oldest of all when there are too many", () => {
    const { hellos, dropped } = pending();
    for (let at = 0; at < 6; at++) hellos.add(`item ${at}`, `10.0.0.${at}`);
    expect(dropped.map(([item]) => item)).toEqual(["item 0", "item 1"]);
    expect(hellos.size).toBe(4);
  });

  test("make room again when one has spoken", () => {
    const { hellos, dropped } = pending();
    hellos.add("one", "10.0.0.2");
    hellos.add("two", "10.0.0.2");
    hellos.delete("one");
    hellos.add("three", "10.0.0.2");
    expect(dropped).toEqual([]);
  });

  test("drop those that stay silent", async () => {
    const { hellos, dropped } = pending({ ms: 40 });
    hellos.add("one", "10.0.0.1");
    await vi.waitFor(() => expect(dropped).toEqual([["one", "hello-timeout"]]), { interval: 5 });
    expect(hellos.size).toBe(0);
  });
});
