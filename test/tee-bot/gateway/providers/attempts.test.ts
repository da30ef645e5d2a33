import { describe, expect, it } from "vitest";
import { Attempts } from "../../../../tee-bot/gateway/providers/attempts.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function start() {
  const clock = new ManualClock();
  const told: string[] = [];
  const world = { isAway: false };
  const isAway = (): boolean => world.isAway;
  const attempts = new Attempts({ clock, random: () => 1, isAway, onBreaker: ({ state }) => told.push(state) });
  return { clock, told, attempts, world };
}

describe("the attempts at a provider", () => {
  it("are counted while they are under way, each once", () => {
    const { attempts } = start();
    const [first, second] = [attempts.admit(), attempts.admit()];
    expect(attempts.outstanding).toBe(2);
    first?.succeeded(10);
    expect(attempts.outstanding).toBe(2);
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    expect(attempts.outstanding).toBe(1);
    second?.[Symbol.dispose]();
    expect(attempts.outstanding).toBe(0);
  });

  it("show how soon it answers lately, and nothing after a minute without a call", () => {
    const { attempts, clock } = start();
    expect(attempts.firstByteMs).toBeUndefined();
    for (const ms of [100, 200, 200]) attempts.admit()?.succeeded(ms);
    expect(attempts.firstByteMs).toBeCloseTo(136);
    clock.advance(60_001);
    expect(attempts.firstByteMs).toBeUndefined();
    attempts.admit()?.succeeded(900);
    expect(attempts.firstByteMs).toBe(900);
  });

  it("are judged by the first word that is said of them", () => {
    const { attempts } = start();
    for (let at = 0; at < 3; at++) {
      using permit = attempts.admit();
      permit?.succeeded(5);
      permit?.failed();
    }
    expect(attempts.breaker.state).toBe("closed");
  });

  it("of which nothing is said leave the breaker as it was, so that another one may try", () => {
    const { attempts, clock } = start();
    for (let at = 0; at < 3; at++) attempts.admit()?.failed();
    clock.advance(5_000);
    attempts.admit()?.[Symbol.dispose]();
    expect(attempts.admit()).toBeDefined();
    expect(attempts.admit()).toBeUndefined();
  });

  it("that found nobody there are no failures", () => {
    const { attempts, world } = start();
    world.isAway = true;
    for (let at = 0; at < 20; at++) attempts.admit()?.failed();
    expect(attempts.breaker.state).toBe("closed");
    world.isAway = false;
    for (let at = 0; at < 3; at++) attempts.admit()?.failed();
    expect(attempts.breaker.state).toBe("open");
  });

  it("tell once that the breaker opens and closes", () => {
    const { attempts, clock, told } = start();
    for (let at = 0; at < 3; at++) attempts.admit()?.failed();
    clock.advance(5_000);
    attempts.admit()?.failed();
    clock.advance(10_000);
    attempts.admit()?.succeeded(1);
    expect(told).toEqual(["open", "closed"]);
    for (let at = 0; at < 3; at++) attempts.admit()?.failed();
    attempts.reset();
    expect(told).toEqual(["open", "closed", "open", "closed"]);
    expect(attempts.admit()).toBeDefined();
  });
});
