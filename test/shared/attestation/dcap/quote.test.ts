import { beforeAll, describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { maxQuoteBytes, parseQuote } from "../../../../shared/attestation/dcap/quote.ts";
import { toHex } from "../../../../shared/hex.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";

const now = Date.UTC(2026, 10, 21);
const headerBytes = 48;
const bodyBytes = 584;
const qeReportStart = headerBytes + bodyBytes + 4 + 64 + 64 + 6;
type Bytes = Uint8Array<ArrayBuffer>;

describe("a TDX quote", () => {
  let quote: Bytes;

  beforeAll(async () => {
    const registers = [1, 2, 3, 4].map((fill) => Buffer.alloc(48, fill)) as [Buffer, Buffer, Buffer, Buffer];
    const pki = await createSimulatorPki({ now });
    quote = pki.signQuote({ reportData: Buffer.alloc(64, 9), rtmr: registers, mrtd: Buffer.alloc(48, 8) });
  });

  /** As a quote of version 5 with a body of TDX 1.0 or 1.5: its layout is right, its signature is not. */
  const asVersion5 = (type: 2 | 3, length = type === 2 ? 584 : 648): Bytes => {
    const header = Buffer.from(quote.subarray(0, headerBytes));
    header.writeUInt16LE(5);
    const body = Buffer.concat([
      quote.subarray(headerBytes, headerBytes + bodyBytes),
      Buffer.alloc(type === 2 ? 0 : 64),
    ]);
    const description = Buffer.alloc(6);
    description.writeUInt16LE(type);
    description.writeUInt32LE(length, 2);
    return new Uint8Array(Buffer.concat([header, description, body, quote.subarray(headerBytes + bodyBytes)]));
  };
  const changed = (write: (bytes: Buffer) => unknown): Bytes => {
    const copy = Buffer.from(quote);
    write(copy);
    return new Uint8Array(copy);
  };
  const refusal = async (bytes: Bytes): Promise<string | undefined> => (await attempt(() => parseQuote(bytes))).fault;

  it("is read field by field", () => {
    const { version, report, signed, qeReport, qeAuthData, pckChain, paddingBytes } = parseQuote(quote);
    expect([version, paddingBytes, signed.length, qeReport.length, qeAuthData.length]).toEqual([4, 0, 632, 384, 32]);
    expect([toHex(report.mrtd), ...report.rtmr.map(toHex)]).toEqual(
      ["08", "01", "02", "03", "04"].map((one) => one.repeat(48)),
    );
    expect(toHex(report.reportData)).toBe("09".repeat(64));
    expect(pckChain).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(report.mrServiceTd).toBeUndefined();
  });

  it("of version 5 is read with a body of TDX 1.0, and of 1.5", () => {
    const [first, second] = [parseQuote(asVersion5(2)), parseQuote(asVersion5(3))];
    expect([first.version, first.signed.length, first.report.mrServiceTd]).toEqual([5, 638, undefined]);
    expect([second.signed.length, second.report.mrServiceTd?.length]).toEqual([702, 48]);
    expect(toHex(second.report.reportData)).toBe("09".repeat(64));
  });

  it.each<[string, () => Bytes, RegExp]>([
    ["of nothing", () => new Uint8Array(), /ends too early/],
    ["of a later version", () => changed((bytes) => bytes.writeUInt16LE(6)), /version 6/],
    ["of version 3", () => changed((bytes) => bytes.writeUInt16LE(3)), /an SGX quote/],
    ["of SGX in version 4", () => changed((bytes) => bytes.writeUInt32LE(0, 4)), /an SGX quote/],
    ["of another TEE", () => changed((bytes) => bytes.writeUInt32LE(0x82, 4)), /type 130/],
    ["with a P-384 key", () => changed((bytes) => bytes.writeUInt16LE(3, 2)), /type 3 are not known/],
    [
      "with a signature longer than the quote",
      () => changed((bytes) => bytes.writeUInt32LE(0xffff_ffff, 632)),
      /ends too early/,
    ],
    [
      "with a signature shorter than its parts",
      () => changed((bytes) => bytes.writeUInt32LE(100, 632)),
      /ends too early/,
    ],
    ["with other certification data", () => changed((bytes) => bytes.writeUInt16LE(5, 764)), /type 5, not 6/],
    [
      "with the platform's id encrypted",
      () => changed((bytes) => bytes.writeUInt16LE(3, qeReportStart + 482)),
      /type 3, not 5/,
    ],
    [
      "with a chain that ends before its data",
      () => changed((bytes) => bytes.writeUInt32LE(10, qeReportStart + 484)),
      /do not belong/,
    ],
    [
      "with authentication data beyond its end",
      () => changed((bytes) => bytes.writeUInt16LE(0xffff, qeReportStart + 448)),
      /ends too early/,
    ],
    ["with a body of a wrong length", () => asVersion5(3, 584), /one of type 3 has 648/],
    ["of more bytes than any", () => new Uint8Array(maxQuoteBytes + 1), /more than 32768/],
  ])("is refused: %s", async (_, make, sentence) => {
    expect(await refusal(make())).toMatch(sentence);
  });

  it("is refused wherever it is cut off", async () => {
    for (let length = 0; length < quote.length; length++)
      expect(await refusal(quote.slice(0, length)), `${length}`).toMatch(/./);
  });
});
