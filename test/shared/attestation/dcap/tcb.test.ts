import { describe, expect, it } from "vitest";
import { findLevel, worstTcb, type Tcb } from "../../../../shared/attestation/dcap/tcb.ts";
import type { TcbStatus } from "../../../../shared/attestation/policy.ts";

const tcb = (status: TcbStatus, ...advisories: string[]): Tcb => ({ status, advisories });

describe("TCB levels", () => {
  const levels = [
    { tcb: 5, tcbStatus: "UpToDate", advisoryIDs: [] },
    { tcb: 3, tcbStatus: "OutOfDate", advisoryIDs: ["INTEL-SA-1"] },
  ] as const;

  it("are found from the newest on", () => {
    const at = (svn: number): Tcb | undefined => findLevel(levels, (wanted) => svn >= wanted);
    expect([at(6), at(5), at(4), at(2)]).toEqual([
      tcb("UpToDate"),
      tcb("UpToDate"),
      tcb("OutOfDate", "INTEL-SA-1"),
      undefined,
    ]);
  });

  it.each<[TcbStatus, TcbStatus, TcbStatus]>([
    ["UpToDate", "UpToDate", "UpToDate"],
    ["UpToDate", "SWHardeningNeeded", "SWHardeningNeeded"],
    ["ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"],
    ["OutOfDate", "SWHardeningNeeded", "OutOfDate"],
    ["Revoked", "UpToDate", "Revoked"],
  ])("of parts, %s and %s, are together %s", (one, other, both) => {
    expect(worstTcb([tcb(one), tcb(other)]).status).toBe(both);
    expect(worstTcb([tcb(other), tcb(one)]).status).toBe(both);
  });

  it("keep every advisory once", () => {
    expect(worstTcb([tcb("OutOfDate", "B", "A"), tcb("UpToDate", "B")]).advisories).toEqual(["A", "B"]);
  });
});
