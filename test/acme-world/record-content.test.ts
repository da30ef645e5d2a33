import { expect, test } from "vitest";
import { characterStrings, formatCaa, parseCaa, textOf } from "../support/dns/record-content.ts";

test("TXT content means the same with and without quotes", () => {
  expect(characterStrings("plain text")).toEqual(["plain text"]);
  expect(characterStrings('"one" "two"')).toEqual(["one", "two"]);
  expect(textOf(String.raw`"a \"quoted\" \\ \065"`)).toBe(String.raw`a "quoted" \ A`);
});

test("TXT content that is too long for one string is cut at 255 bytes", () => {
  expect(characterStrings("x".repeat(600))?.map(({ length }) => length)).toEqual([255, 255, 90]);
});

test("TXT content with an open quote is refused", () => {
  expect(characterStrings('"open')).toBeUndefined();
  expect(characterStrings('"one" two')).toBeUndefined();
});

test("CAA content is read and written back", () => {
  const content = '0 issue "ca.example.test; accounturi=https://ca.example.test/1; validationmethods=dns-01"';
  const data = parseCaa(content);
  expect(data).toEqual({ flags: 0, tag: "issue", value: content.slice('0 issue "'.length, -1) });
  expect(data && formatCaa(data)).toBe(content);
  expect(parseCaa('0 issue ";"')).toEqual({ flags: 0, tag: "issue", value: ";" });
  for (const bad of ["issue ca", '256 issue "a"', "0 issue ca"]) expect(parseCaa(bad)).toBeUndefined();
});
