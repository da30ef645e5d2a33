/**
 * What the TDX module says of one TD (Intel TDX DCAP Quoting Library API, appendix A.3.2 and A.4; TDX module ABI,
 * TDREPORT_STRUCT): 584 bytes in TDX 1.0, and 64 more in TDX 1.5.
 *
 *   0 TEE_TCB_SVN 16 | 16 MRSEAM 48 | 64 MRSIGNERSEAM 48 | 112 SEAMATTRIBUTES 8 | 120 TDATTRIBUTES 8 | 128 XFAM 8
 *   136 MRTD 48 | 184 MRCONFIGID 48 | 232 MROWNER 48 | 280 MROWNERCONFIG 48 | 328 RTMR0-3 4 × 48 | 520 REPORTDATA 64
 *   584 TEE_TCB_SVN_2 16 | 600 MRSERVICETD 48
 */
import { LittleEndianReader } from "./little-endian-reader.ts";

export const td10Bytes = 584;
export const td15Bytes = 648;

type Bytes = Uint8Array<ArrayBuffer>;

export interface TdReport {
  readonly teeTcbSvn: Bytes;
  readonly mrSeam: Bytes;
  readonly mrSignerSeam: Bytes;
  readonly seamAttributes: Bytes;
  readonly tdAttributes: Bytes;
  readonly xfam: Bytes;
  readonly mrtd: Bytes;
  readonly mrConfigId: Bytes;
  readonly mrOwner: Bytes;
  readonly mrOwnerConfig: Bytes;
  readonly rtmr: readonly [Bytes, Bytes, Bytes, Bytes];
  readonly reportData: Bytes;
  /** Undefined in a report of TDX 1.0. */
  readonly mrServiceTd: Bytes | undefined;
}

/** Takes exactly {@link td10Bytes} or {@link td15Bytes}. */
export function parseTdReport(bytes: Bytes): TdReport {
  const reader = new LittleEndianReader(bytes, "The TD report");
  const register = (): Bytes => reader.take(48);
  const report = {
    teeTcbSvn: reader.take(16),
    mrSeam: register(),
    mrSignerSeam: register(),
    seamAttributes: reader.take(8),
    tdAttributes: reader.take(8),
    xfam: reader.take(8),
    mrtd: register(),
    mrConfigId: register(),
    mrOwner: register(),
    mrOwnerConfig: register(),
    rtmr: [register(), register(), register(), register()] as const,
    reportData: reader.take(64),
  };
  if (bytes.length < td15Bytes) return { ...report, mrServiceTd: undefined };
  reader.take(16); // TEE_TCB_SVN_2: the module that runs now; TEE_TCB_SVN is the one that launched the TD
  return { ...report, mrServiceTd: register() };
}

/**
 * Why a TD with these attributes cannot be trusted; undefined when it can. TDATTRIBUTES: bits 0-7 (TUD) make it
 * debuggable, bit 28 (SEPT_VE_DISABLE) keeps its host from making pages fault, 30, 31 and 63 (PKS, KL, PERFMON) are its
 * own affair; all else is reserved, or lets the TD be migrated (29).
 */
export function findTdFault({ tdAttributes, mrServiceTd }: TdReport): string | undefined {
  const bits = new DataView(tdAttributes.buffer, tdAttributes.byteOffset, 8).getBigUint64(0, true);
  if ((bits & 0xffn) !== 0n) return "The TD can be debugged: its host reads and changes its memory.";
  if ((bits & septVeDisable) === 0n)
    return "SEPT_VE_DISABLE is off: the host can interrupt the TD at pages it chooses.";
  if ((bits & ~(septVeDisable | harmless)) !== 0n)
    return `Attributes are set that are reserved or let the TD be migrated (${bits.toString(16)}).`;
  if (mrServiceTd?.some((byte) => byte !== 0)) return "A service TD is bound to the TD, which may migrate it.";
  return undefined;
}

const septVeDisable = 1n << 28n;
const harmless = (1n << 30n) | (1n << 31n) | (1n << 63n);
