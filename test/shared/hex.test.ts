import { expect, it } from "vitest";
import { fromHex, toHex } from "../../shared/hex.ts";

it("hex comes back as it was written, in lower case", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
  expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
  expect(fromHex("")).toEqual(new Uint8Array());
});

it.each(["a", "0g", " 00", "00\n", "0x00"])("what is not pairs of hexadecimal digits is no hex: %j", (text) => {
  expect(fromHex(text)).toBeUndefined();
});
