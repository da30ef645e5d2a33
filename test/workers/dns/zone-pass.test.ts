import { expect, test } from "vitest";
import { decidePauseMs } from "../../../workers/dns/zone-pass.ts";

test.each([
  [0, 60_000],
  [1, 60_000],
  [3, 180_000],
  [2_400, 900_000],
])("a zone of %d pages is read again after %d ms", (pages, pauseMs) => {
  expect(decidePauseMs(60_000, pages)).toBe(pauseMs);
});

test("a longer pause that is asked for is kept", () => {
  expect(decidePauseMs(3_600_000, 5)).toBe(3_600_000);
});
