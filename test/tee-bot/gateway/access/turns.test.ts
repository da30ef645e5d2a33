import { beforeEach, describe, expect, it } from "vitest";
import { Turns, type TurnLimits } from "../../../../tee-bot/gateway/access/turns.ts";
import { ManualClock } from "../../support/manual-clock.ts";

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock(0);
});
const turnsWith = (limits: Partial<TurnLimits>): Turns =>
  new Turns({
    limits: { concurrent: 1, queued: 100, queueMs: 30_000, ...limits },
    clock,
    overloaded: (why) => new Error(why),
  });
const stays = new AbortController();
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Takes a turn, and notes whose it was once it has come; the turn is over soon after. */
function line(turns: Turns, order: string[]) {
  return (who: string, name = who, client = stays): Promise<void> =>
    (turns.take(who, client) ?? Promise.resolve()).then(
      () => {
        order.push(name);
        return void setImmediate(() => turns.end());
      },
      (error: unknown) => void order.push(`${name}: ${error instanceof Error ? error.message : String(error)}`),
    );
}

describe("turns", () => {
  it("come at once while there are some, and then when another one is over", async () => {
    const turns = turnsWith({ concurrent: 2 });
    expect(turns.take("a", stays)).toBeUndefined();
    expect(turns.take("b", stays)).toBeUndefined();
    const third = turns.take("c", stays);
    expect({ running: turns.running, waiting: turns.waiting }).toEqual({ running: 2, waiting: 1 });
    turns.end();
    await third;
    expect({ running: turns.running, waiting: turns.waiting }).toEqual({ running: 2, waiting: 0 });
    turns.end();
    turns.end();
    expect(turns.running).toBe(0);
  });

  it("go round the callers, and within one first come first served", async () => {
    const turns = turnsWith({});
    const order: string[] = [];
    const wait = line(turns, order);
    void turns.take("first", stays);
    const all = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"].map((name) => wait(name[0] ?? "", name));
    turns.end();
    await Promise.all(all);
    expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
  });

  it("come to a caller with one call within two ends, however many wait of another", async () => {
    const turns = turnsWith({ queued: 1_000 });
    const order: string[] = [];
    const wait = line(turns, order);
    void turns.take("first", stays);
    const many = Array.from({ length: 500 }, (_, index) => wait("many", `many${index}`));
    const one = wait("one");
    turns.end();
    await one;
    expect(order).toEqual(["many0", "one"]);
    await Promise.all(many);
    expect(turns.waiting).toBe(0);
  });

  it("are refused to those who have waited for too long", async () => {
    const turns = turnsWith({ queueMs: 5_000 });
    const order: string[] = [];
    void turns.take("first", stays);
    const late = line(turns, order)("a");
    clock.advance(4_999);
    await settle();
    expect(order).toEqual([]);
    clock.advance(1);
    await late;
    expect(order).toEqual(["a: late"]);
    expect(turns.waiting).toBe(0);
  });

  it("are refused when too many wait: to a newcomer, or to the newest of a longer queue", async () => {
    const turns = turnsWith({ queued: 3 });
    const order: string[] = [];
    const wait = line(turns, order);
    void turns.take("first", stays);
    const greedy = [wait("a", "a1"), wait("a", "a2"), wait("a", "a3")];
    await wait("a", "a4");
    expect(order).toEqual(["a4: full"]);
    const modest = wait("b", "b1");
    await greedy[2];
    expect(order).toEqual(["a4: full", "a3: full"]);
    await wait("b", "b2"); // its queue would be as long as a's
    expect(order.at(-1)).toBe("b2: full");
    turns.end();
    await Promise.all([...greedy, modest]);
    expect(order.slice(3)).toEqual(["a1", "b1", "a2"]);
  });

  it("are given up by a client that leaves, at once", async () => {
    const turns = turnsWith({});
    const order: string[] = [];
    const wait = line(turns, order);
    void turns.take("first", stays);
    const leaver = new AbortController();
    const left = wait("a", "a1", leaver);
    const next = wait("a", "a2");
    leaver.abort(new Error("gone"));
    expect(turns.waiting).toBe(1);
    await left;
    turns.end();
    await next;
    expect(order).toEqual(["a1: gone", "a2"]);
    expect(clock.sleeping).toEqual([]);
  });

  it("are not given to a client that had left before", async () => {
    const turns = turnsWith({});
    void turns.take("first", stays);
    await expect(turns.take("a", { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    expect(turns.waiting).toBe(0);
  });

  it("are refused to all calls of one caller when somebody says so, and to no others", async () => {
    const turns = turnsWith({});
    const order: string[] = [];
    const wait = line(turns, order);
    void turns.take("first", stays);
    const all = [wait("a", "a1"), wait("b", "b1"), wait("a", "a2")];
    turns.refuse("a", new Error("revoked"));
    await Promise.all([all[0], all[2]]);
    expect(order).toEqual(["a1: revoked", "a2: revoked"]);
    turns.end();
    await all[1];
    expect(order.at(-1)).toBe("b1");
  });

  it("follow new limits at once", async () => {
    const turns = turnsWith({});
    const order: string[] = [];
    void turns.take("first", stays);
    const waiting = [line(turns, order)("a"), line(turns, order)("b")];
    turns.follow({ concurrent: 3, queued: 100, queueMs: 1_000 });
    await Promise.all(waiting);
    expect(order).toEqual(["a", "b"]);
    await settle();
    turns.follow({ concurrent: 1, queued: 100, queueMs: 1_000 });
    expect(turns.running).toBe(1);
    expect(turns.take("c", stays)).toBeInstanceOf(Promise);
  });
});
