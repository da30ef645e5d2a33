import { expect, it } from "vitest";
import { fuzzClientHello } from "./fuzz-client-hello.ts";

it("the ClientHello reader answers mutated hellos without a fault, the same in any pieces", () => {
  const report = fuzzClientHello({ seed: Date.now() % 2 ** 32, durationMs: 2000 });
  expect(report.failures, `FUZZ_SEED=${report.seed}`).toEqual([]);
  expect(Object.keys(report.answers).length, "kinds of answers reached").toBeGreaterThan(8);
});
