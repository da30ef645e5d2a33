import { getCollateral, QuoteVerifier } from "@phala/dcap-qvl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../../shared/clock.ts";
import { silentLog } from "../../../../../shared/log.ts";
import type { LoopbackServer } from "../../../../../tee-bot/attestation/simulator/loopback-server.ts";
import { startPcsServer } from "../../../../../tee-bot/attestation/simulator/pcs/pcs-server.ts";
import type { CollateralOptions } from "../../../../../tee-bot/attestation/simulator/pki/collateral.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../../../tee-bot/attestation/simulator/pki.ts";

describe("the simulator's collateral service", () => {
  let pki: SimulatorPki;
  let server: LoopbackServer;
  let said: Omit<CollateralOptions, "now"> = {};

  beforeAll(async () => {
    pki = await createSimulatorPki({ now: Date.now() });
    server = await startPcsServer({ pki, port: 0, clock: systemClock, log: silentLog, collateral: () => said });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("serves what a client of PCCS asks for, and a quote verifies with it", async () => {
    const quote = Buffer.from(pki.signQuote({ reportData: Buffer.alloc(64) }));
    const collateral = await getCollateral(server.url, quote);
    const verifier = new QuoteVerifier(Buffer.from(pki.root));
    expect(verifier.verify(quote, collateral, Math.floor(Date.now() / 1000)).status).toBe("UpToDate");
  });

  it("says what it is told to say, from the next request on", async () => {
    said = { status: "OutOfDate", advisories: ["INTEL-SA-00009"] };
    const response = await fetch(`${server.url}/tdx/certification/v4/tcb?fmspc=53494d000000`);
    expect(await response.json()).toMatchObject({
      tcbInfo: { tcbLevels: [{ tcbStatus: "OutOfDate", advisoryIDs: ["INTEL-SA-00009"] }] },
      signature: expect.stringMatching(/^[0-9a-f]{128}$/) as string,
    });
    expect(decodeURIComponent(response.headers.get("tcb-info-issuer-chain") ?? "")).toContain("BEGIN CERTIFICATE");
    expect(response.headers.get("x-simulated")).toBe("true");
    said = {};
  });

  it.each([
    "/tdx/certification/v4/tcb?fmspc=00906ED50000",
    "/sgx/certification/v4/pckcrl?ca=nobody&encoding=der",
    "/sgx/certification/v4/pckcrl?ca=platform",
    "/",
  ])("does not know %s", async (path) => {
    expect((await fetch(`${server.url}${path}`)).status).toBe(404);
  });

  it("is for reading", async () => {
    const response = await fetch(`${server.url}/sgx/certification/v4/rootcacrl`, { method: "POST", body: "x" });
    expect(response.status).toBe(404);
  });
});
