import { expect, it } from "vitest";
import { textColumns } from "../../../../tee-bot/bot/format/text-columns.ts";

it.each([
  ["", 0],
  ["plain", 5],
  ["e\u0301te\u0301", 3],
  ["中文", 4],
  ["カナ", 4],
  ["한국", 4],
  ["👩‍👩‍👧", 2],
  ["ok ✅", 5],
])("%j takes the columns it is drawn in", (text, columns) => {
  expect(textColumns(text)).toBe(columns);
});
