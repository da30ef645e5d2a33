import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodePoolPreface, parsePoolPreface, poolPrefaceBytes } from "../../../shared/tunnel/pool.ts";

const pass = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const preface = Buffer.from("00504e010102030405060708090a0b0c0d0e0f10", "hex");

describe("the preface of a pool connection", () => {
  it("is 20 bytes: NUL, PN, version 1 and the pass", () => {
    expect(Buffer.from(encodePoolPreface(pass))).toEqual(preface);
    expect(poolPrefaceBytes).toBe(20);
  });

  it("is read when it is whole, and not before", () => {
    for (let length = 0; length < preface.length; length++)
      expect(parsePoolPreface(preface.subarray(0, length))).toEqual({ kind: "incomplete" });
    expect(parsePoolPreface(preface)).toEqual({ kind: "pass", pass });
  });

  it("gives a pass of its own, whatever becomes of the bytes", () => {
    const bytes = Buffer.from(preface);
    const parsed = parsePoolPreface(bytes);
    bytes.fill(0);
    expect(parsed).toEqual({ kind: "pass", pass });
  });

  it("is refused at the first byte that differs", () => {
    for (let at = 0; at < 4; at++) {
      const wrong = Buffer.from(preface.subarray(0, at + 1));
      wrong[at] = (wrong[at] ?? 0) ^ 0x80;
      expect(parsePoolPreface(wrong)).toEqual({ kind: "refused" });
    }
  });

  it("is refused with a byte after it", () => {
    expect(parsePoolPreface(Buffer.concat([preface, Buffer.of(0x16)]))).toEqual({ kind: "refused" });
  });

  it("comes back from any pass, and any other bytes have an answer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 40 }), (any, noise) => {
        expect(parsePoolPreface(encodePoolPreface(any))).toEqual({ kind: "pass", pass: any });
        expect(["pass", "incomplete", "refused"]).toContain(parsePoolPreface(noise).kind);
      }),
    );
  });
});
