import { describe, expect, it } from "vitest";
import { fromBase64, fromPem, maxPemLength, toPem } from "../../../../shared/attestation/dcap/pem.ts";

const ders = [new Uint8Array(100).fill(7), Uint8Array.of(1, 2)];

describe("PEM", () => {
  it("comes back as it was written", () => {
    expect(fromPem(toPem(ders))).toEqual(ders);
    expect(fromPem(toPem(ders).replaceAll("\n", "\r\n"))).toEqual(ders);
    expect(toPem(ders).split("\n")[1]).toHaveLength(64);
  });

  it.each([
    ["text before it", `x${toPem(ders)}`],
    ["text between", toPem(ders).replace("\n-----BEGIN", "\nx\n-----BEGIN")],
    ["text after it", `${toPem(ders)}x`],
    ["a zero byte after it", `${toPem(ders)}\0`],
    ["another kind of block", toPem(ders).replaceAll("CERTIFICATE", "PRIVATE KEY")],
    ["no end", toPem(ders).slice(0, -10)],
    ["base64 with bits that mean nothing", toPem([Uint8Array.of(1, 2)]).replace("AQI=", "AQJ=")],
    ["base64 that is cut off", toPem([Uint8Array.of(1, 2)]).replace("AQI=", "AQI")],
    ["more than any chain", " ".repeat(maxPemLength + 1)],
  ])("is refused with %s", (_, pem) => {
    expect(fromPem(pem)).toBeUndefined();
  });

  it("is read in a time that grows with its length, however it is made", () => {
    const hostile = `-----BEGIN CERTIFICATE-----${"\n".repeat(maxPemLength - 40)}x`;
    const start = performance.now();
    expect(fromPem(hostile)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("has base64 of one form only", () => {
    expect(fromBase64("AQI=")).toEqual(Uint8Array.of(1, 2));
    for (const text of ["AQI", "AQJ=", "AQI= ", "A", "*"]) expect(fromBase64(text)).toBeUndefined();
  });
});
