import { expect, it } from "vitest";
import { Rate } from "../../shared/rate.ts";

it("Rate tells the last whole second, or this one when it is higher already, and forgets what is older", () => {
  let now = 10_000;
  const rate = new Rate({ clock: { now: () => now, sleep: () => Promise.resolve() } });
  const seen = (): number[] => [rate.perSecond, rate.thisSecond];
  rate.count(3);
  expect(seen()).toEqual([3, 3]);
  now = 11_000;
  expect(seen()).toEqual([3, 0]);
  rate.count();
  expect(seen()).toEqual([3, 1]);
  rate.count(4);
  expect(seen()).toEqual([5, 5]);
  now = 13_500;
  expect(seen()).toEqual([0, 0]);
});
