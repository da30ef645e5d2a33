import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { parseCbor } from "../../../../shared/attestation/dstack/cbor.ts";

const bytes = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, "hex"));

describe("CBOR", () => {
  it.each([
    ["00", 0],
    ["17", 23],
    ["1818", 24],
    ["190100", 256],
    ["1affffffff", 0xffff_ffff],
    ["60", ""],
    ["6161", "a"],
    ["41ff", Uint8Array.of(255)],
    ["a0", {}],
    ["a161616162", { a: "b" }],
  ])("%s is read as RFC 8949 has it", (hex, value) => {
    expect(parseCbor(bytes(hex))).toEqual(value);
  });

  it.each([
    ["nothing", ""],
    ["a cut number", "19ff"],
    ["a cut text", "6261"],
    ["a length of 64 bits", "5b0000000000000001ff"],
    ["an indefinite length", "5f41ff"],
    ["a negative number", "20"],
    ["a list", "80"],
    ["a tag", "c000"],
    ["a float", "fb3ff0000000000000"],
    ["bytes after the value", "0000"],
    ["a key that is no text", "a10000"],
    ["a key twice", "a2616100616100"],
    ["more members than there are bytes", "ba0000ffff"],
    ["maps within maps", "a16161".repeat(20)],
  ])("is refused: %s", async (_, hex) => {
    expect((await attempt(() => parseCbor(bytes(hex)))).fault).toMatch(/CBOR/);
  });
});
