import { describe, expect, test } from "vitest";
import { PassTable } from "../../../relay/tunnel/pass-table.ts";
import { Passes } from "../../../relay/tunnel/passes.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";

describe("the passes of a tunnel", () => {
  test("are out until somebody redeems them", () => {
    const table = new PassTable();
    const passes = new Passes({ table, tunnel: 7, clock: systemClock });
    const [first] = passes.issue(3) as [Uint8Array];
    expect(passes.out).toBe(3);
    expect(table.redeem(first)).toBe(7);
    expect(passes.out).toBe(2);
  });

  test("are void after ten seconds, which is told once for each that was not used", () => {
    let now = 0;
    const clock: Clock = { ...systemClock, now: () => now };
    const table = new PassTable();
    const passes = new Passes({ table, tunnel: 7, clock });
    const [used, left] = passes.issue(2) as [Uint8Array, Uint8Array];
    table.redeem(used);
    now = 9_999;
    const [late] = passes.issue(1) as [Uint8Array];
    expect(passes.expire()).toBe(0);
    now = 10_000;
    expect([passes.expire(), passes.expire(), passes.out]).toEqual([1, 0, 1]);
    expect([table.redeem(left), table.redeem(late)]).toEqual([undefined, 7]);
  });

  test("are void at once when all are taken back", () => {
    const table = new PassTable();
    const passes = new Passes({ table, tunnel: 7, clock: systemClock });
    const given = passes.issue(5);
    passes.voidAll();
    expect([passes.out, ...given.map((pass) => table.redeem(pass))]).toEqual([0, ...given.map(() => undefined)]);
  });
});
