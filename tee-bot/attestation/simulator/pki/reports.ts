/** The two bodies of quotes, byte by byte; what is not given is zero, or as an honest platform has it. */
import { quotingEnclave, teeTcbSvn } from "./platform.ts";

/** TDREPORT10 (Intel TDX DCAP Quoting Library API, appendix 3.2): 584 bytes. Every field has the length that it shows here. */
export interface TdReport {
  /** 16. */
  readonly teeTcbSvn: Uint8Array;
  /** 48. */
  readonly mrSeam: Uint8Array;
  /** 48; zeros for a module of Intel's. */
  readonly mrSignerSeam: Uint8Array;
  /** 8; zeros. */
  readonly seamAttributes: Uint8Array;
  /** 8. */
  readonly tdAttributes: Uint8Array;
  /** 8. */
  readonly xfam: Uint8Array;
  /** 48, as all below up to the registers. */
  readonly mrtd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  /** RTMR0 to RTMR3, 48 each. */
  readonly rtmr: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** At most 64: zeros follow. */
  readonly reportData: Uint8Array;
}

export const measurementBytes = 48;
export const reportDataBytes = 64;

/** SEPT_VE_DISABLE alone, and the same with DEBUG. */
const productionAttributes = Buffer.from("0000001000000000", "hex");
export const debugAttributes = Buffer.from("0100001000000000", "hex");

const zeros = Buffer.alloc(measurementBytes);
const honestTd: Omit<TdReport, "reportData"> = {
  teeTcbSvn,
  mrSeam: Buffer.alloc(measurementBytes, "SIMULATOR NOT INTEL TDX module."),
  mrSignerSeam: zeros,
  seamAttributes: Buffer.alloc(8),
  tdAttributes: productionAttributes,
  xfam: Buffer.from("e702060000000000", "hex"),
  mrtd: zeros,
  mrConfigId: zeros,
  mrOwner: zeros,
  mrOwnerConfig: zeros,
  rtmr: [zeros, zeros, zeros, zeros],
};

export function encodeTdReport(fields: Partial<TdReport> & Pick<TdReport, "reportData">): Buffer {
  const td = { ...honestTd, ...fields };
  return Buffer.concat([
    exactly(16, td.teeTcbSvn),
    exactly(measurementBytes, td.mrSeam),
    exactly(measurementBytes, td.mrSignerSeam),
    exactly(8, td.seamAttributes),
    exactly(8, td.tdAttributes),
    exactly(8, td.xfam),
    ...[td.mrtd, td.mrConfigId, td.mrOwner, td.mrOwnerConfig, ...td.rtmr].map((mr) => exactly(measurementBytes, mr)),
    padded(reportDataBytes, td.reportData),
  ]);
}

/** An enclave's report (Intel SDM vol. 3D, REPORT): 384 bytes. */
export interface EnclaveReport {
  /** 16. */
  readonly cpuSvn: Uint8Array;
  /** 16. */
  readonly attributes: Uint8Array;
  /** 32, as the next. */
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** At most 64: zeros follow. */
  readonly reportData: Uint8Array;
}

const honestEnclave: Omit<EnclaveReport, "reportData"> = { ...quotingEnclave, cpuSvn: Buffer.alloc(16) };

export function encodeEnclaveReport(fields: Partial<EnclaveReport> & Pick<EnclaveReport, "reportData">): Buffer {
  const enclave = { ...honestEnclave, ...fields };
  const versions = Buffer.alloc(4);
  versions.writeUInt16LE(enclave.isvProdId, 0);
  versions.writeUInt16LE(enclave.isvSvn, 2);
  return Buffer.concat([
    exactly(16, enclave.cpuSvn),
    Buffer.alloc(4 + 28), // MISCSELECT, reserved
    exactly(16, enclave.attributes),
    exactly(32, enclave.mrEnclave),
    Buffer.alloc(32),
    exactly(32, enclave.mrSigner),
    Buffer.alloc(96),
    versions,
    Buffer.alloc(60),
    padded(reportDataBytes, enclave.reportData),
  ]);
}

function exactly(length: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`A field of ${length} bytes was given ${bytes.length}.`);
  return bytes;
}

function padded(length: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length > length) throw new RangeError(`A field of at most ${length} bytes was given ${bytes.length}.`);
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}
