import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollateralCache, cachedMs } from "../../../../tee-bot/attestation/collateral/collateral-cache.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { crl, startPcs, type Pcs } from "../support/pcs.ts";

let pcs: Pcs;
beforeEach(async () => {
  pcs = await startPcs();
});
afterEach(() => pcs[Symbol.asyncDispose]());

const pki = await createSimulatorPki({ now: Date.now() });
const quote = pki.signQuote({ reportData: new Uint8Array(64) });
const { signal } = new AbortController();

function create() {
  const clock = new ManualClock();
  return { clock, cache: new CollateralCache({ base: pcs.base, fetch, clock }) };
}

describe("the collateral of others' quotes", () => {
  it("is asked for once an hour for machines of one kind", async () => {
    const { cache, clock } = create();
    expect((await cache.get(quote, signal))?.pck_crl).toBe(crl);
    const another = pki.signQuote({ reportData: Buffer.alloc(64, 1) });
    expect((await cache.get(another, signal))?.pck_crl).toBe(crl);
    expect(pcs.asked).toHaveLength(4);
    clock.advance(cachedMs);
    await cache.get(quote, signal);
    expect(pcs.asked).toHaveLength(8);
  });

  it("is none when the service does not answer, which is not remembered", async () => {
    const { cache } = create();
    pcs.answers.tcb.status = 500;
    expect(await cache.get(quote, signal)).toBeUndefined();
    pcs.answers.tcb.status = 200;
    expect(await cache.get(quote, signal)).toBeDefined();
  });

  it("is none of a quote that names no machine, and nobody is asked", async () => {
    const { cache } = create();
    for (const none of [new Uint8Array(), new Uint8Array(5_000), new Uint8Array(100_000)])
      expect(await cache.get(none, signal)).toBeUndefined();
    expect(pcs.asked).toEqual([]);
  });
});
