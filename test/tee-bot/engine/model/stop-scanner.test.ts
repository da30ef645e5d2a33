import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StopScanner } from "../../../../tee-bot/engine/model/stop-scanner.ts";

function scan(pieces: readonly string[], stops: readonly string[]): string {
  const scanner = new StopScanner(stops);
  const said = pieces.map((piece) => scanner.push(piece)).join("");
  return said + scanner.end();
}

describe("the stop scanner", () => {
  it("ends before a stop that comes in pieces", () => {
    expect(scan(["one ", "S", "TO", "P two"], ["STOP"])).toBe("one ");
  });

  it("gives back what only looked like a stop", () => {
    expect(scan(["one ST", "AR"], ["STOP"])).toBe("one STAR");
    expect(scan(["one ST"], ["STOP"])).toBe("one ST");
  });

  it("holds back no more than may be a stop", () => {
    expect(new StopScanner(["STOP"]).push("one ST")).toBe("one ");
    expect(new StopScanner([]).push("anything")).toBe("anything");
  });

  it("says the same however the text is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\n"), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), stops, (pieces, texts) => {
        const whole = pieces.join("");
        const first = Math.min(whole.length, ...texts.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0));
        // The one that is complete first counts, which need not be the one that begins first.
        const end = Math.min(
          ...texts.map((stop) => (whole.includes(stop) ? whole.indexOf(stop) + stop.length : Infinity)),
        );
        const said = scan(pieces, texts);
        expect(whole.startsWith(said)).toBe(true);
        expect(said.length).toBeGreaterThanOrEqual(first);
        if (end === Infinity) expect(said).toBe(whole);
        else for (const stop of texts) expect(said.includes(stop)).toBe(false);
      }),
    );
  });
});
