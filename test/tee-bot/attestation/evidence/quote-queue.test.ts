import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { AgentQuote } from "../../../../tee-bot/attestation/dstack/guest-agent.ts";
import {
  maxWaiting,
  maxWaitingPerClient,
  maxWaitMs,
  QuoteQueue,
} from "../../../../tee-bot/attestation/evidence/quote-queue.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** Hardware that makes a quote when the test says so, and tells what it was asked for. */
class SlowHardware {
  readonly asked: number[] = [];
  #finish: ((error?: Error) => void) | undefined;

  quote(reportData: Uint8Array): Promise<AgentQuote> {
    if (this.#finish) throw new Error("asked for two quotes at once");
    this.asked.push(reportData[0]!);
    const { promise, resolve, reject } = Promise.withResolvers<AgentQuote>();
    this.#finish = (error) => (error ? reject(error) : resolve({ quote: reportData, eventLog: "[]", vmConfig: "{}" }));
    return promise;
  }

  async finish(error?: Error): Promise<void> {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(error);
    await setImmediate();
  }
}

interface Queued {
  hardware: SlowHardware;
  clock: ManualClock;
  queue: QuoteQueue;
  ask: (id: number, client: string, signal?: AbortSignal) => Promise<number>;
}

function start(): Queued {
  const hardware = new SlowHardware();
  const clock = new ManualClock();
  const queue = new QuoteQueue({ agent: hardware, clock });
  const ask: Queued["ask"] = async (id, client, signal) =>
    (await queue.quote(Uint8Array.of(id), client, signal)).quote[0]!;
  return { hardware, clock, queue, ask };
}

describe("the queue for quotes", () => {
  it("asks the hardware for one at a time", async () => {
    const { hardware, ask } = start();
    const both = [ask(1, "a"), ask(2, "b")];
    expect(hardware.asked).toEqual([1]);
    await hardware.finish();
    expect(hardware.asked).toEqual([1, 2]);
    await hardware.finish();
    expect(await Promise.all(both)).toEqual([1, 2]);
  });

  it("gives clients their turns, so that one who asks for many holds up nobody else for more than one", async () => {
    const { hardware, ask } = start();
    const greedy = [1, 2, 3, 4, 5].map((id) => ask(id, "greedy"));
    const others = [ask(11, "b"), ask(12, "c")];
    for (let made = 0; made < 7; made++) await hardware.finish();
    expect(hardware.asked).toEqual([1, 2, 11, 12, 3, 4, 5]);
    await Promise.all([...greedy, ...others]);
  });

  it("makes the node's own next, also when all places are taken", async () => {
    const { hardware, queue, ask } = start();
    const waiting = Array.from({ length: maxWaiting + 1 }, (_, index) => ask(index, `client ${index}`));
    const own = queue.own(Uint8Array.of(200), AbortSignal.timeout(5_000));
    await hardware.finish();
    await hardware.finish();
    expect((await own).quote[0]).toBe(200);
    for (let made = 0; made < maxWaiting; made++) await hardware.finish();
    expect(await Promise.all(waiting)).toHaveLength(maxWaiting + 1);
  });

  it("takes no more than some of one client, and not too many of all", async () => {
    const { hardware, ask } = start();
    const first = ask(0, "a");
    const own = Array.from({ length: maxWaitingPerClient }, () => ask(1, "a"));
    await expect(ask(1, "a")).rejects.toMatchObject({ code: "too-many-requests" });
    const others = Array.from({ length: maxWaiting - maxWaitingPerClient }, (_, index) => ask(2, `client ${index}`));
    await expect(ask(3, "late")).rejects.toMatchObject({ code: "overloaded" });
    for (let made = 0; made <= maxWaiting; made++) await hardware.finish();
    expect(await Promise.all([first, ...own, ...others])).toHaveLength(maxWaiting + 1);
  });

  it("lets go of who leaves, and of whom it keeps waiting too long", async () => {
    const { hardware, clock, ask } = start();
    const first = ask(1, "a");
    const left = new AbortController();
    const leaving = ask(2, "b", left.signal);
    const late = ask(3, "c");
    left.abort(new Error("gone"));
    await expect(leaving).rejects.toThrow("gone");
    await expect(ask(4, "d", left.signal)).rejects.toThrow("gone");
    clock.advance(maxWaitMs);
    await expect(late).rejects.toMatchObject({ code: "overloaded" });
    await hardware.finish();
    expect(await first).toBe(1);
    expect(hardware.asked).toEqual([1]);
    expect(clock.sleeping).toEqual([]);
  });

  it("goes on after a quote that failed, which fails for its client alone", async () => {
    const { hardware, ask } = start();
    const failing = expect(ask(1, "a")).rejects.toThrow("no such device");
    const next = ask(2, "b");
    await hardware.finish(new Error("no such device"));
    await failing;
    await hardware.finish();
    expect(await next).toBe(2);
  });
});
