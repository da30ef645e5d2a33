import { expect, it } from "vitest";
import { TokenBucket } from "../../../../tee-bot/bot/send/token-bucket.ts";
import { ManualClock } from "../../support/manual-clock.ts";

it("a burst goes out at once, then so many per second, and after a rest no more than a burst again", () => {
  const clock = new ManualClock(1_000_000);
  const bucket = new TokenBucket({ perSecond: 20, burst: 3, clock });
  const takeAll = (): number => {
    let taken = 0;
    while (bucket.take().isTaken) taken++;
    return taken;
  };
  expect(takeAll()).toBe(3);
  expect(bucket.take()).toEqual({ isTaken: false, waitMs: 50 });
  clock.advance(30);
  expect(bucket.take()).toEqual({ isTaken: false, waitMs: 20 });
  clock.advance(20);
  expect(takeAll()).toBe(1);
  clock.advance(60_000);
  expect(takeAll()).toBe(3);
});

it("a clock that is set back neither fills nor empties it", () => {
  const clock = new ManualClock(1_000_000);
  const bucket = new TokenBucket({ perSecond: 1, burst: 1, clock });
  bucket.take();
  clock.advance(-500_000);
  expect(bucket.take()).toEqual({ isTaken: false, waitMs: 1_000 });
  clock.advance(1_000);
  expect(bucket.take()).toEqual({ isTaken: true });
});
