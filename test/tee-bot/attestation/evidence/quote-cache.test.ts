import { describe, expect, it } from "vitest";
import type { AgentQuote } from "../../../../tee-bot/attestation/dstack/guest-agent.ts";
import { QuoteCache, quoteWindowMs } from "../../../../tee-bot/attestation/evidence/quote-cache.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const one = Uint8Array.of(1);
const quoteOf = (id: number): AgentQuote => ({ quote: Uint8Array.of(id), eventLog: "[]", vmConfig: "{}" });

describe("quotes that are shown again", () => {
  it("are made once for all who ask within the window, and anew after it", async () => {
    const clock = new ManualClock();
    const cache = new QuoteCache({ clock });
    let made = 0;
    const make = (): Promise<AgentQuote> => Promise.resolve(quoteOf(++made));
    await Promise.all([cache.get(one, make), cache.get(one, make)]);
    clock.advance(quoteWindowMs - 1);
    await cache.get(one, make);
    expect(made).toBe(1);
    await cache.get(Uint8Array.of(2), make);
    expect(made).toBe(2);
    clock.advance(1);
    expect((await cache.get(one, make)).quote[0]).toBe(3);
  });

  it("are replaced by a newer one, and a failure is not shown again", async () => {
    const cache = new QuoteCache({ clock: new ManualClock() });
    await cache.get(one, () => Promise.resolve(quoteOf(1)));
    await cache.put(one, Promise.resolve(quoteOf(2)));
    expect((await cache.get(one, () => Promise.reject(new Error("not needed")))).quote[0]).toBe(2);
    const other = Uint8Array.of(9);
    await expect(cache.get(other, () => Promise.reject(new Error("no device")))).rejects.toThrow("no device");
    expect((await cache.get(other, () => Promise.resolve(quoteOf(3)))).quote[0]).toBe(3);
  });

  it("are forgotten when there are too many", async () => {
    const cache = new QuoteCache({ clock: new ManualClock() });
    await cache.get(one, () => Promise.resolve(quoteOf(1)));
    for (let index = 0; index < 256; index++)
      await cache.get(Uint8Array.of(2, index), () => Promise.resolve(quoteOf(2)));
    expect((await cache.get(one, () => Promise.resolve(quoteOf(3)))).quote[0]).toBe(3);
  });
});
