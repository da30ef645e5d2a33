import { afterAll, afterEach, describe, expect, it } from "vitest";
import { judgeModelRecord, modelRecordSchema } from "../../../../tee-bot/attestation/near/model-record.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { NearCloud, nearModel, type NearFault } from "../../../support/near/near-cloud.ts";
import { NearMachine } from "../../../support/near/near-machine.ts";
import { recordOf } from "../../../support/near/record-of.ts";

const now = Date.now();
const [pki, otherPki] = await Promise.all([createSimulatorPki({ now }), createSimulatorPki({ now })]);
const collateral = await pki.createCollateral({ now });
const cloud = await new NearCloud({ pki, otherPki }).start();
const trust = { root: pki.root, simulated: true };
const nonce = new Uint8Array(32).fill(9);

afterEach(() => {
  cloud.fault = undefined;
  cloud.joined = undefined;
});
afterAll(() => cloud[Symbol.asyncDispose]());

/** As it comes out of a file. */
async function record(fault?: NearFault) {
  cloud.fault = fault;
  const signal = AbortSignal.timeout(20_000);
  const { report, record: made } = await recordOf(cloud, { model: nearModel, trust, collateral, nonce, signal });
  return { report, record: modelRecordSchema.parse(JSON.parse(JSON.stringify(made))) };
}
const judge = (made: Awaited<ReturnType<typeof record>>["record"], given: typeof trust | undefined = trust) =>
  judgeModelRecord(made, { policy: undefined, trust: given });

describe("the record of a model's evidence", () => {
  it("is judged again offline as it was then, with the vendor's word for each machine in it once", async () => {
    cloud.joined = new NearMachine({ pki, name: "joined" });
    const { report, record: made } = await record();
    expect(made.nonce).toBe("09".repeat(32));
    expect(made.collateral).toHaveLength(1);
    expect(made.collateral[0]?.quotes).toHaveLength(3);
    const { verdict, checks } = await judge(made);
    expect(verdict).toBe(report.verdict);
    expect(verdict).toBe("simulated");
    expect(checks.find(({ id }) => id === "model-gpu")?.outcome).toBe("skip");
  });

  it.each<NearFault>(["other-address", "other-nonce", "debug", "model-missing", "model-is-gateways"])(
    "is refused again where it was refused then: %s",
    async (fault) => {
      const { report, record: made } = await record(fault);
      expect([report.verdict, (await judge(made)).verdict]).toEqual(["refused", "refused"]);
    },
  );

  it("is refused with another nonce, and never believed of a simulator that was not named", async () => {
    const { record: made } = await record();
    expect((await judge({ ...made, nonce: "08".repeat(32) })).verdict).toBe("refused");
    expect((await judgeModelRecord(made, { policy: undefined, trust: undefined })).verdict).toBe("refused");
    expect((await judge(made, { root: otherPki.root, simulated: true })).verdict).toBe("refused");
  });

  it("is judged by Intel's root where no simulator says to have signed, whatever root was named", async () => {
    const { record: made } = await record();
    const mark = Buffer.from("SIMULATOR NOT INTEL!").toString("hex");
    const plain = JSON.parse(JSON.stringify(made.report).replaceAll(mark, "00".repeat(20))) as unknown;
    const { checks } = await judge({ ...made, report: plain });
    const gateway = checks.find(({ id }) => id === "gateway-quote")?.detail;
    expect(gateway).toContain("does not end in the pinned root");
  });

  it("is not known without the vendor's word, and no report at all is said to be none", async () => {
    const { record: made } = await record();
    expect((await judge({ ...made, collateral: [] })).verdict).toBe("unknown");
    await expect(judge({ ...made, report: "a report" })).rejects.toThrow("is no report");
  });
});
