import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import { CollateralKeeper } from "../../../../tee-bot/attestation/collateral/collateral-keeper.ts";
import { validUntilOf } from "../../../../tee-bot/attestation/collateral/collateral-dates.ts";
import { refreshIntervalMs } from "../../../../tee-bot/attestation/collateral/decide-refresh.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { startPcs, type Pcs } from "../support/pcs.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const now = Date.now();
let pki: SimulatorPki;
let quote: Uint8Array;
let documents: Collateral;
beforeAll(async () => {
  pki = await createSimulatorPki({ now });
  quote = pki.signQuote({ reportData: new Uint8Array(64) });
  documents = await pki.createCollateral({ now });
});

/** Has this collateral from now on. */
function give(
  pcs: Pcs,
  { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature, ...rest }: Collateral,
): void {
  const chain = (pem: string, name: string): Record<string, string> => ({ [name]: encodeURIComponent(pem) });
  Object.assign(pcs.answers, {
    pckcrl: {
      headers: chain(rest.pck_crl_issuer_chain, "SGX-PCK-CRL-Issuer-Chain"),
      body: Buffer.from(rest.pck_crl, "hex"),
    },
    tcb: {
      headers: chain(rest.tcb_info_issuer_chain, "TCB-Info-Issuer-Chain"),
      body: `{"tcbInfo":${tcb_info},"signature":"${tcb_info_signature}"}`,
    },
    identity: {
      headers: chain(rest.qe_identity_issuer_chain, "SGX-Enclave-Identity-Issuer-Chain"),
      body: `{"enclaveIdentity":${qe_identity},"signature":"${qe_identity_signature}"}`,
    },
    rootcacrl: { body: rest.root_ca_crl },
  });
}

interface Kept {
  pcs: Pcs;
  clock: ManualClock;
  path: string;
  changes: number;
  log: ReturnType<typeof recordingLog>;
  start: () => CollateralKeeper;
}

async function world(): Promise<Kept> {
  const pcs = stack.use(await startPcs());
  give(pcs, documents);
  const folder = stack.use(temporaryFolder());
  const path = join(folder.path, "collateral.json");
  const clock = new ManualClock(now);
  const log = recordingLog();
  const kept: Kept = {
    pcs,
    clock,
    path,
    log,
    changes: 0,
    start: () => {
      const onChange = (): void => void kept.changes++;
      const keeper = new CollateralKeeper({ base: pcs.base, path, fetch, clock, random: () => 1, log, onChange });
      const stop = new AbortController();
      const run = keeper.run(stop.signal);
      stack.defer(async () => {
        stop.abort();
        await run;
      });
      return keeper;
    },
  };
  return kept;
}

describe("the collateral that a node keeps", () => {
  it("is fetched when the first quote tells of which machine, and again every half day", async () => {
    const { pcs, clock, start } = await world();
    const keeper = start();
    expect(pcs.asked).toEqual([]);
    keeper.follow(quote);
    await keeper.settled;
    expect(keeper.current).toEqual({ documents, retrieved_at: Math.floor(now / 1000), source: pcs.base });
    expect(pcs.asked.some((path) => path.endsWith("ca=platform&encoding=der"))).toBe(true);
    keeper.follow(pki.signQuote({ reportData: new Uint8Array(64).fill(1) }));
    clock.advance(refreshIntervalMs);
    await expect.poll(() => pcs.asked.length).toBe(8);
    await expect.poll(() => keeper.current?.retrieved_at).toBe(Math.floor(clock.now() / 1000));
  });

  it("is there at a start without the network, with the time it is from", async () => {
    const { pcs, start, clock } = await world();
    const first = start();
    first.follow(quote);
    await first.settled;
    pcs.answers.tcb = { status: 503 };
    clock.advance(refreshIntervalMs);
    const second = start();
    second.follow(quote);
    await second.settled;
    expect(second.current?.documents).toEqual(documents);
    expect(second.current?.retrieved_at).toBe(Math.floor(now / 1000));
    await expect.poll(() => second.trouble?.detail).toContain(new Date(validUntilOf(documents)!).toISOString());
    expect(second.trouble?.remedy).toContain("attestation.collateral");
  });

  it("is in trouble while none can be had, and out of it when the service is back", async () => {
    const kept = await world();
    kept.pcs.answers.rootcacrl = { status: 500 };
    const keeper = kept.start();
    keeper.follow(quote);
    await keeper.settled;
    expect(keeper.current).toBeUndefined();
    expect(keeper.trouble?.detail).toContain("and there is none");
    expect(kept.changes).toBe(1);
    give(kept.pcs, documents);
    await kept.clock.untilSleeping((ms) => ms === 10_000);
    kept.clock.advance(10_000);
    await expect.poll(() => keeper.trouble).toBeUndefined();
    expect(keeper.current?.documents).toEqual(documents);
  });

  it.each(["", "{", "null", '{"version":1}', '{"version":2,"fmspc":"x"}'])(
    "is fetched when the file holds «%s»",
    async (text) => {
      const { path, start } = await world();
      writeFileSync(path, text);
      const keeper = start();
      keeper.follow(quote);
      await keeper.settled;
      expect(keeper.current?.documents).toEqual(documents);
      expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: 1, documents });
    },
  );

  it("is not that of another machine which the file has", async () => {
    const { path, pcs, start } = await world();
    const kept = { version: 1, fmspc: "000000000000", ca: "platform", retrieved_at: 1, source: "x", documents };
    writeFileSync(path, JSON.stringify(kept));
    const keeper = start();
    keeper.follow(quote);
    await keeper.settled;
    expect(keeper.current?.source).toBe(pcs.base);
  });

  it("stays in memory when it cannot be written", async () => {
    const { path, start, log } = await world();
    mkdirSync(path);
    const keeper = start();
    keeper.follow(quote);
    await keeper.settled;
    expect(keeper.current?.documents).toEqual(documents);
    expect(log.events.map(({ event }) => event)).toContain("collateral.unsaved");
  });

  it("stands until the first of its documents ends", () => {
    const { nextUpdate } = JSON.parse(documents.tcb_info) as { nextUpdate: string };
    const until = validUntilOf(documents)!;
    expect(until).toBeLessThanOrEqual(Date.parse(nextUpdate));
    expect(until).toBeGreaterThan(now);
    expect(validUntilOf({ ...documents, qe_identity: "{}" })).toBeUndefined();
    expect(validUntilOf({ ...documents, pck_crl: "30" })).toBeUndefined();
  });
});
