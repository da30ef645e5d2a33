import { afterAll, describe, expect, it } from "vitest";
import { askCollateralOf } from "../../../../../tee-bot/attestation/client/observe/ask-collateral.ts";
import { createSimulatorPki } from "../../../../../tee-bot/attestation/simulator/pki.ts";
import { startPcs } from "../../support/pcs.ts";

const pcs = await startPcs();
afterAll(() => pcs[Symbol.asyncDispose]());
const pki = await createSimulatorPki({ now: Date.now() });
const quote = pki.signQuote({ reportData: new Uint8Array(64) });
const signal = AbortSignal.timeout(10_000);

describe("whom a verifier asks about a platform", () => {
  it("is the service that the user names, also about a simulator", async () => {
    for (const simulated of [false, true]) {
      const { source, documents } = (await askCollateralOf(pcs.base, simulated)?.(quote, signal)) ?? {};
      expect(source).toBe(`asked of ${pcs.base}`);
      expect(documents?.tcb_info).toContain('"id":"TDX"');
    }
  });

  it("is nobody, where what the node shows is to be taken, or a simulator's root was named", () => {
    expect(askCollateralOf("shown", false)).toBeUndefined();
    expect(askCollateralOf(undefined, true)).toBeUndefined();
  });

  it("is no public service about the quote of a simulator", async () => {
    await expect(askCollateralOf(undefined, false)?.(quote, signal)).rejects.toThrow("nobody but the simulator");
  });
});
