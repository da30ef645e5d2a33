/**
 * Signs quotes as Intel's quoting enclave does (TDX DCAP Quoting Library API, appendix 3):
 *
 *   header 48 | body 584 (TD) or 384 (enclave) | length 4 | signature 64 | attestation key 64 | certification data
 *
 * The platform's PCK key has signed a report of the quoting enclave, whose data is the hash of the attestation key.
 */
import { createHash, sign, type KeyObject } from "node:crypto";
import { simulatorMark } from "../../../../shared/attestation/simulator-mark.ts";
import { publicKeyOf } from "./authority.ts";
import type { PkiMaterial } from "./material.ts";
import { encodeEnclaveReport, encodeTdReport, type EnclaveReport, type TdReport } from "./reports.ts";

/** What may be wrong with a quote whose signatures are right. */
interface Faults {
  /** 20 bytes of the header; the simulator's mark unless a test wants it gone. */
  readonly userData?: Uint8Array;
  /** Fields of the quoting enclave's report: another signer, an old version, debug. */
  readonly enclave?: Partial<EnclaveReport> | undefined;
  /** PEM, instead of the chain from the platform's certificate to the root. */
  readonly certificateChain?: string | undefined;
}

/** Fields that are not given are as an honest platform has them; measurements are zero. */
export type QuoteOptions = Partial<TdReport> & Pick<TdReport, "reportData"> & Faults;
export type SgxQuoteOptions = Pick<EnclaveReport, "reportData"> & Faults;

const teeTypes = { sgx: 0x00, tdx: 0x81 } as const;
const ecdsaP256KeyType = 2;
const qeVendorId = Buffer.from("939a7233f79c4ca9940a0db3957f0607", "hex");
const qeAuthData = Uint8Array.from({ length: 32 }, (_, index) => index);
const certificateChainType = 5;
const enclaveReportType = 6;

export class QuotingEnclave {
  readonly #material: PkiMaterial;
  readonly #publicKey: Buffer;
  readonly #chain: string;
  readonly #certification: Buffer;

  constructor(material: PkiMaterial) {
    const { pck, platformCa, root } = material;
    this.#material = material;
    this.#publicKey = rawPublicKey(material.attestationKey);
    this.#chain = [pck, platformCa, root].map(({ certificate }) => `${certificate.toString("pem")}\n`).join("");
    this.#certification = this.#certify({});
  }

  signQuote({ userData, enclave, certificateChain, ...body }: QuoteOptions): Uint8Array<ArrayBuffer> {
    const signed = Buffer.concat([header(4, teeTypes.tdx, userData), encodeTdReport(body)]);
    const certification =
      enclave || certificateChain ? this.#certify({ enclave, certificateChain }) : this.#certification;
    return this.#assemble(signed, typed(enclaveReportType, certification));
  }

  signSgxQuote({ userData, enclave, certificateChain, reportData }: SgxQuoteOptions): Uint8Array<ArrayBuffer> {
    const signed = Buffer.concat([header(3, teeTypes.sgx, userData), encodeEnclaveReport({ reportData })]);
    return this.#assemble(signed, this.#certify({ enclave, certificateChain }));
  }

  #assemble(signed: Uint8Array, certification: Uint8Array): Uint8Array<ArrayBuffer> {
    const signature = signRaw(this.#material.attestationKey, signed);
    const authentication = Buffer.concat([signature, this.#publicKey, certification]);
    return new Uint8Array(Buffer.concat([signed, uint32(authentication.length), authentication]));
  }

  /** The enclave's report, the platform's signature over it, and who the platform is. */
  #certify({ enclave, certificateChain }: Pick<Faults, "enclave" | "certificateChain">): Buffer {
    const reportData = createHash("sha256").update(this.#publicKey).update(qeAuthData).digest();
    const report = encodeEnclaveReport({ reportData, ...enclave });
    return Buffer.concat([
      report,
      signRaw(this.#material.pck.key, report),
      uint16(qeAuthData.length),
      qeAuthData,
      typed(certificateChainType, Buffer.from(certificateChain ?? this.#chain)),
    ]);
  }
}

function header(version: number, teeType: number, userData: Uint8Array = simulatorMark): Buffer {
  if (userData.length !== simulatorMark.length) throw new RangeError("User data of a header has 20 bytes.");
  const reserved = Buffer.alloc(4);
  return Buffer.concat([uint16(version), uint16(ecdsaP256KeyType), uint32(teeType), reserved, qeVendorId, userData]);
}

function typed(type: number, data: Uint8Array): Buffer {
  return Buffer.concat([uint16(type), uint32(data.length), data]);
}

/** r ‖ s, 64 bytes. */
export function signRaw(key: KeyObject, data: Uint8Array): Buffer {
  return sign("sha256", data, { key, dsaEncoding: "ieee-p1363" });
}

/** x ‖ y, 64 bytes: the end of an uncompressed point, with which the SPKI of a P-256 key ends. */
function rawPublicKey(key: KeyObject): Buffer {
  return publicKeyOf(key).export({ type: "spki", format: "der" }).subarray(-64);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
