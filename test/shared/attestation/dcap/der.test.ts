import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import {
  derBits,
  derNumber,
  derOid,
  DerSequence,
  derSignature,
  derTag,
  derTime,
  readDer,
} from "../../../../shared/attestation/dcap/der.ts";
import { toHex } from "../../../../shared/hex.ts";

const bytes = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, "hex"));
const text = (tag: number, value: string) => readDer(new Uint8Array([tag, value.length, ...Buffer.from(value)]), tag);
const refusal = async (read: () => unknown): Promise<string | undefined> => (await attempt(read)).fault;

describe("DER", () => {
  it("is read in order, with what is optional left where it is not", () => {
    const sequence = new DerSequence(readDer(bytes("300702010504020102"), derTag.sequence));
    expect(sequence.optional(derTag.boolean)).toBeUndefined();
    expect(derNumber(sequence.take(derTag.integer))).toBe(5);
    expect(toHex(sequence.take(derTag.octetString).content)).toBe("0102");
    expect(sequence.done).toBe(true);
  });

  it("has lengths of one byte and of more", () => {
    for (const length of [0, 127, 128, 255, 256, 70_000]) {
      const size =
        length < 128
          ? [length]
          : length < 256
            ? [0x81, length]
            : length < 65_536
              ? [0x82, length >> 8, length & 255]
              : [0x83, length >> 16, (length >> 8) & 255, length & 255];
      const element = readDer(new Uint8Array([4, ...size, ...new Uint8Array(length)]), derTag.octetString);
      expect(element.content.length).toBe(length);
    }
  });

  it.each([
    ["nothing", ""],
    ["a tag alone", "30"],
    ["content that is cut off", "300201"],
    ["bytes after it", "300000"],
    ["an indefinite length", "30800000"],
    ["a length longer than it need be", "04810100"],
    ["a length with a leading zero", "0482000100"],
    ["a length of four bytes", "048400000001ff"],
    ["a tag of several bytes", "1f8100"],
    ["another tag", "0400"],
  ])("is refused: %s", async (_, hex) => {
    expect(await refusal(() => readDer(bytes(hex), derTag.sequence))).toMatch(/DER/);
  });

  it("has numbers that are small and not negative", async () => {
    const number = (hex: string): number => derNumber(readDer(bytes(hex), derTag.integer));
    expect([number("020100"), number("02017f"), number("02020080"), number("020500ffffffff")]).toEqual([
      0,
      127,
      128,
      2 ** 32 - 1,
    ]);
    for (const hex of ["0200", "020180", "0206010000000000"])
      expect(await refusal(() => number(hex))).toMatch(/number/);
  });

  it("has object identifiers", async () => {
    const oid = (hex: string): string => derOid(readDer(bytes(hex), derTag.oid));
    expect(oid("060a2a864886f84d010d0102")).toBe("1.2.840.113741.1.13.1.2");
    expect(oid("0603551d13")).toBe("2.5.29.19");
    expect(oid("06028837")).toBe("2.999");
    expect(await refusal(() => oid(`060a${"ff".repeat(10)}`))).toMatch(/identifier/);
  });

  it("has times in both forms", async () => {
    expect(derTime(text(derTag.utcTime, "260813104538Z"))).toBe(Date.UTC(2026, 7, 13, 10, 45, 38) / 1000);
    expect(derTime(text(derTag.utcTime, "500101000000Z"))).toBe(Date.UTC(1950, 0, 1) / 1000);
    expect(derTime(text(derTag.generalizedTime, "20491231235959Z"))).toBe(Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
    for (const time of ["2608131045Z", "260813104538+0100", "261399104538Z", "26081310453aZ"])
      expect(await refusal(() => derTime(text(derTag.utcTime, time)))).toMatch(/time/);
    expect(await refusal(() => derTime(text(derTag.octetString, "260813104538Z")))).toMatch(/time/);
  });

  it("has ECDSA signatures that come out as node:crypto writes them raw", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    for (let round = 0; round < 50; round++) {
      const signature = createSign("sha256").update(`${round}`).sign(privateKey);
      const raw = derSignature(new Uint8Array(signature));
      expect(raw.length).toBe(64);
      const digits = (part: Uint8Array): string => toHex(part).replace(/^(00)+/, "");
      const [r = "", s = ""] = [raw.subarray(0, 32), raw.subarray(32)].map(digits);
      expect(signature.toString("hex")).toContain(r);
      expect(signature.toString("hex")).toContain(s);
    }
    for (const hex of [
      "3000",
      "3003020101",
      "300602010102010100",
      `30260221${"01".repeat(33)}020101`,
      "3006020181020101",
    ])
      expect(await refusal(() => derSignature(bytes(hex)))).toMatch(/./);
  });

  it("has bit strings of whole bytes", async () => {
    expect(toHex(derBits(readDer(bytes("030200ff"), derTag.bitString)))).toBe("ff");
    expect(await refusal(() => derBits(readDer(bytes("030204f0"), derTag.bitString)))).toMatch(/bit string/);
  });
});
