/**
 * The two documents that Intel signs of a platform's firmware, in the form of its PCS API v4 (`/tdx/certification/v4/tcb`
 * and `/qe/identity`). Objects: what is signed is the text that they are written as.
 */
import type { TcbStatus } from "../../../../shared/attestation/policy.ts";
import { cpuSvn, fmspc, pceId, pceSvn, quotingEnclave, teeTcbSvn } from "./platform.ts";

export interface TcbOptions {
  /** Milliseconds since 1970: when it was issued. */
  readonly now: number;
  readonly validMs: number;
  /** Of the platform's firmware. */
  readonly status: TcbStatus;
  /** Advisories that are open at this status. */
  readonly advisories: readonly string[];
  /** Of the quoting enclave. */
  readonly qeStatus: TcbStatus;
  /** Of the TDX module's version. */
  readonly moduleStatus: TcbStatus;
  /** Processor family, 12 hex characters; another one than the simulated platform's fits no quote. */
  readonly fmspc: string;
}

export const platformFmspc = fmspc.toString("hex").toUpperCase();
const tcbDate = "2025-08-13T00:00:00Z";
const moduleMasks = { mrsigner: "00".repeat(48), attributes: "00".repeat(8), attributesMask: "FF".repeat(8) };

export function tcbInfo(options: TcbOptions): Record<string, unknown> {
  const [moduleSvn = 0, moduleVersion = 0] = teeTcbSvn;
  const moduleId = `TDX_${String(moduleVersion).padStart(2, "0")}`;
  const moduleLevel = level({ isvsvn: moduleSvn }, options.moduleStatus, options.advisories);
  const tcb = { sgxtcbcomponents: components(cpuSvn), pcesvn: pceSvn, tdxtcbcomponents: components(teeTcbSvn) };
  return {
    id: "TDX",
    version: 3,
    ...dates(options),
    fmspc: options.fmspc,
    pceId: pceId.toString("hex"),
    tcbType: 0,
    tcbEvaluationDataNumber: 20,
    tdxModule: moduleMasks,
    tdxModuleIdentities: [{ id: moduleId, ...moduleMasks, tcbLevels: [moduleLevel] }],
    tcbLevels: [level(tcb, options.status, options.advisories)],
  };
}

export function qeIdentity(options: TcbOptions): Record<string, unknown> {
  return {
    id: "TD_QE",
    version: 2,
    ...dates(options),
    tcbEvaluationDataNumber: 20,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: "11000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: quotingEnclave.mrSigner.toString("hex").toUpperCase(),
    isvprodid: quotingEnclave.isvProdId,
    tcbLevels: [level({ isvsvn: quotingEnclave.isvSvn }, options.qeStatus, options.advisories)],
  };
}

function level(tcb: object, tcbStatus: TcbStatus, advisories: readonly string[]): Record<string, unknown> {
  const open = tcbStatus === "UpToDate" || advisories.length === 0 ? {} : { advisoryIDs: advisories };
  return { tcb, tcbDate, tcbStatus, ...open };
}

function dates({ now, validMs }: TcbOptions): { issueDate: string; nextUpdate: string } {
  return { issueDate: second(now), nextUpdate: second(now + validMs) };
}

/** ISO 8601 without fractions, as Intel writes it; a fraction would put the moment of issue into the future of a whole second. */
function second(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function components(versions: Uint8Array): { svn: number }[] {
  return [...versions].map((svn) => ({ svn }));
}
