import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { Breaker } from "../../../../tee-bot/bot/send/breaker.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function world() {
  const clock = new ManualClock(1_000_000);
  return { clock, breaker: new Breaker({ clock, random: () => 1 }) };
}

const minutes = (count: number): number => count * 60_000;

describe("the breaker of sends", () => {
  it("waits longer after each rate limit, up to an hour, and forgets them once a message went out", () => {
    const { clock, breaker } = world();
    const waits: unknown[] = [];
    for (let count = 0; count < 8; count++) {
      breaker.rateLimited(undefined);
      waits.push(breaker.permission);
      clock.advance(minutes(60));
      expect(breaker.permission).toBe("send");
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((count) => ({ waitMs: minutes(count) })));
    breaker.sent();
    breaker.rateLimited(undefined);
    expect(breaker.permission).toEqual({ waitMs: minutes(1) });
  });

  it("does not take an answer to something else for the end of a rate limit", () => {
    const { breaker } = world();
    breaker.rateLimited(new Sensitive("token"));
    breaker.found();
    breaker.answered();
    expect(breaker.pause).toMatchObject({ why: "rate-limited" });
    breaker.retry();
    expect(breaker.permission).toBe("send");
    expect(breaker.pause).toMatchObject({ why: "rate-limited" }); // until it has gone out
  });

  it("does not wait for longer because the clock was set back", () => {
    const { clock, breaker } = world();
    breaker.sent();
    expect(breaker.permission).toBe("send");
    clock.advance(-minutes(60));
    expect(breaker.permission).toBe("probe"); // when the server was heard last is not known any more
    breaker.lost();
    clock.advance(-minutes(60));
    expect(breaker.permission).toBe("probe");
    breaker.rateLimited(undefined);
    clock.advance(-minutes(60));
    expect(breaker.permission).toBe("send");
  });

  it("wants an answer to something harmless of a server that was lost, soon and then every ten seconds", () => {
    const { clock, breaker } = world();
    const waits: unknown[] = [];
    for (let count = 0; count < 8; count++) {
      breaker.lost();
      waits.push(breaker.permission);
      clock.advance(10_000);
      expect(breaker.permission).toBe("probe");
    }
    expect(waits.map((wait) => (wait as { waitMs: number }).waitMs)).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
    breaker.found();
    expect(breaker.permission).toBe("send");
  });

  it("asks first after ten seconds of silence, as at the beginning", () => {
    const { clock, breaker } = world();
    expect(breaker.permission).toBe("probe");
    breaker.found();
    clock.advance(9_999);
    expect(breaker.permission).toBe("send");
    breaker.sent();
    clock.advance(9_999);
    expect(breaker.permission).toBe("send");
    clock.advance(1);
    expect([breaker.permission, breaker.pause]).toEqual(["probe", undefined]);
  });

  it("gives a server that swallows messages but answers otherwise fewer and fewer of them", () => {
    const { clock, breaker } = world();
    const waits = Array.from({ length: 9 }, () => {
      breaker.messageLost();
      const { permission } = breaker;
      clock.advance(minutes(5));
      breaker.found();
      return (permission as { waitMs: number }).waitMs;
    });
    expect(waits.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(minutes(5));
    breaker.answered();
    breaker.messageLost();
    expect(breaker.permission).toEqual({ waitMs: 2_000 });
  });
});
