/**
 * TDX quotes of version 4 and 5 (Intel TDX DCAP Quoting Library API, appendix A.3 and A.4), numbers least significant
 * byte first:
 *
 *   header      version 2 | key type 2 | TEE type 4 | QE SVN 2 | PCE SVN 2 | QE vendor 16 | user data 20
 *   version 5   body type 2 (2: TD 1.0, 3: TD 1.5) | body length 4
 *   body        TD report (td-report.ts)                                          ← the signature covers all up to here
 *   length 4 of what follows
 *     signature 64 | attestation key 64
 *     type 2 (6: QE report) | length 4 of what follows
 *       QE report 384 | its signature 64 | length 2, authentication data
 *       type 2 (5: PCK certificate chain) | length 4, chain in PEM
 *   zeros       up to the room that the quoting service reserves
 *
 * Every length must come out exactly, so that no byte of a quote is without meaning.
 */
import { rejected } from "../rejected.ts";
import { LittleEndianReader } from "./little-endian-reader.ts";
import { parseTdReport, td10Bytes, td15Bytes, type TdReport } from "./td-report.ts";

/** Real ones have some 5 kB. */
export const maxQuoteBytes = 32 * 1024;
/** Intel's service rounds up to the longest chain it knows; real quotes end in 70 zeros. */
export const maxPaddingBytes = 256;

const tdxTee = 0x81;
const sgxTee = 0;
const ecdsaP256 = 2;
const qeReportData = 6;
const pckChainData = 5;
export const qeReportBytes = 384;

type Bytes = Uint8Array<ArrayBuffer>;

export interface TdxQuote {
  readonly version: 4 | 5;
  readonly report: TdReport;
  /** Header and body, as they were signed. */
  readonly signed: Bytes;
  /** Of all above, by the attestation key: r ‖ s. */
  readonly signature: Bytes;
  /** P-256: x ‖ y. */
  readonly attestationKey: Bytes;
  readonly qeReport: Bytes;
  /** By the PCK: r ‖ s. */
  readonly qeReportSignature: Bytes;
  readonly qeAuthData: Bytes;
  /** PEM, as it stands in the quote. */
  readonly pckChain: string;
  readonly paddingBytes: number;
}

/** Throws `evidence-rejected` for anything that is not one whole TDX quote. */
export function parseQuote(bytes: Bytes): TdxQuote {
  if (bytes.length > maxQuoteBytes) throw rejected(`The quote has more than ${maxQuoteBytes} bytes.`);
  const reader = new LittleEndianReader(bytes, "The quote");
  const version = reader.uint16();
  const keyType = reader.uint16();
  const teeType = reader.uint32();
  if (version === 3 || teeType === sgxTee) throw rejected(`This is an SGX quote (version ${version}), not one of TDX.`);
  if (version !== 4 && version !== 5) throw rejected(`Quotes of version ${version} are not known.`);
  if (teeType !== tdxTee) throw rejected(`This is a quote of a TEE of type ${teeType}, not of TDX.`);
  if (keyType !== ecdsaP256) throw rejected(`Attestation keys of type ${keyType} are not known, only ECDSA P-256.`);
  reader.take(40); // SVNs and vendor of the QE, whose own report says who signs; user data (simulator-mark.ts)
  const report = parseTdReport(reader.take(version === 4 ? td10Bytes : readBodyLength(reader)));
  const signed = bytes.subarray(0, reader.at);
  const signatures = parseSignatures(reader.take(reader.uint32()));
  const padding = reader.rest();
  if (padding.length > maxPaddingBytes || padding.some((byte) => byte !== 0))
    throw rejected(`${padding.length} bytes follow the quote that do not belong to it.`);
  return { version, report, signed, ...signatures, paddingBytes: padding.length };
}

function readBodyLength(reader: LittleEndianReader): number {
  const type = reader.uint16();
  const length = reader.uint32();
  const wanted = type === 2 ? td10Bytes : type === 3 ? td15Bytes : undefined;
  if (wanted === undefined) throw rejected(`Quote bodies of type ${type} are not known; TDX has 2 and 3.`);
  if (length !== wanted) throw rejected(`The quote's body has ${length} bytes; one of type ${type} has ${wanted}.`);
  return length;
}

type Signatures = Omit<TdxQuote, "version" | "report" | "signed" | "paddingBytes">;

function parseSignatures(bytes: Bytes): Signatures {
  const reader = new LittleEndianReader(bytes, "The quote's signature");
  const signature = reader.take(64);
  const attestationKey = reader.take(64);
  const certification = takeCertification(reader, qeReportData, "The quote's signature");

  const inner = new LittleEndianReader(certification, "The quote's QE report");
  const qeReport = inner.take(qeReportBytes);
  const qeReportSignature = inner.take(64);
  const qeAuthData = inner.take(inner.uint16());
  const pckChain = new TextDecoder().decode(takeCertification(inner, pckChainData, "The quote's QE report"));
  return { signature, attestationKey, qeReport, qeReportSignature, qeAuthData, pckChain };
}

/** A type, a length, and as many bytes, with which `reader` must end. */
function takeCertification(reader: LittleEndianReader, wanted: number, where: string): Bytes {
  const type = reader.uint16();
  if (type !== wanted) throw rejected(`${where} carries certification data of type ${type}, not ${wanted}.`);
  const data = reader.take(reader.uint32());
  if (reader.rest().length > 0) throw rejected(`${where} has bytes that do not belong to it.`);
  return data;
}
