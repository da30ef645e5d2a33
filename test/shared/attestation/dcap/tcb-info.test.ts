import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import type { Platform } from "../../../../shared/attestation/dcap/pck-certificate.ts";
import { findPlatformTcb, judgeModule, parseTcbInfo } from "../../../../shared/attestation/dcap/tcb-info.ts";
import { parseTdReport, td10Bytes, type TdReport } from "../../../../shared/attestation/dcap/td-report.ts";

const components = (...svns: number[]) => Array.from({ length: 16 }, (_, at) => ({ svn: svns[at] ?? 0 }));
const zeros = { mrsigner: "00".repeat(48), attributes: "00".repeat(8), attributesMask: "FF".repeat(8) };
const document = {
  id: "TDX",
  version: 3,
  issueDate: "2026-08-13T10:45:38Z",
  nextUpdate: "2026-09-12T10:45:38Z",
  fmspc: "B0C06F000000",
  pceId: "0000",
  tdxModule: zeros,
  tdxModuleIdentities: [
    {
      id: "TDX_01",
      ...zeros,
      tcbLevels: [
        { tcb: { isvsvn: 4 }, tcbStatus: "UpToDate" },
        { tcb: { isvsvn: 2 }, tcbStatus: "OutOfDate" },
      ],
    },
  ],
  tcbLevels: [
    {
      tcb: { sgxtcbcomponents: components(4, 4), pcesvn: 11, tdxtcbcomponents: components(5, 0, 4) },
      tcbStatus: "UpToDate",
    },
    {
      tcb: { sgxtcbcomponents: components(2, 2), pcesvn: 5, tdxtcbcomponents: components(5, 0, 2) },
      tcbStatus: "OutOfDate",
    },
  ],
};
const info = parseTcbInfo(JSON.stringify(document));

function report(...teeTcbSvn: number[]): TdReport {
  const bytes = new Uint8Array(td10Bytes);
  bytes.set(teeTcbSvn);
  return parseTdReport(bytes);
}

function platform(pceSvn: number, ...cpuSvn: number[]): Platform {
  const svns = new Uint8Array(16);
  svns.set(cpuSvn);
  return { fmspc: "b0c06f000000", pceId: "0000", ppid: "", pceSvn, cpuSvn: svns };
}

describe("TCB info", () => {
  it.each([
    ["every version reached", platform(11, 4, 4), report(5, 0, 4), "UpToDate"],
    ["a processor's version too low", platform(11, 4, 3), report(5, 0, 4), "OutOfDate"],
    ["the PCE's version too low", platform(10, 4, 4), report(5, 0, 4), "OutOfDate"],
    ["a TDX version too low", platform(11, 4, 4), report(5, 0, 3), "OutOfDate"],
    ["everything too low", platform(4, 4, 4), report(5, 0, 4), undefined],
    ["a module of TDX 1.0 too low", platform(11, 4, 4), report(4, 0, 4), undefined],
    ["a module with levels of its own", platform(11, 4, 4), report(1, 1, 4), "UpToDate"],
  ])("puts a platform with %s where it belongs", (_, seen, td, status) => {
    expect(findPlatformTcb(info, seen, td)?.status).toBe(status);
  });

  it("puts a module with levels of its own where it belongs", () => {
    expect(judgeModule(info, report(4, 1))).toEqual({
      name: "TDX_01, security version 4",
      tcb: { status: "UpToDate", advisories: [] },
    });
    expect(judgeModule(info, report(3, 1))).toMatchObject({ tcb: { status: "OutOfDate" } });
    expect(judgeModule(info, report(1, 1))).toMatchObject({ fault: expect.stringMatching(/does not list/) as string });
    expect(judgeModule(info, report(1, 2))).toMatchObject({ fault: expect.stringMatching(/TDX_02/) as string });
    expect(judgeModule(info, report(5, 0))).toEqual({ name: "TDX 1.0, security version 5", tcb: undefined });
  });

  it.each([
    ["no JSON", "{"],
    ["SGX's", JSON.stringify({ ...document, id: "SGX" })],
    ["of an older form", JSON.stringify({ ...document, version: 2 })],
    ["without components", JSON.stringify({ ...document, tcbLevels: [{ tcb: {}, tcbStatus: "UpToDate" }] })],
    ["with a state that nobody knows", JSON.stringify(document).replaceAll("OutOfDate", "Fine")],
    ["with dates that are none", JSON.stringify({ ...document, nextUpdate: "soon" })],
  ])("is refused: %s", async (_, text) => {
    expect((await attempt(() => parseTcbInfo(text))).fault).toMatch(/TCB info/);
  });
});
