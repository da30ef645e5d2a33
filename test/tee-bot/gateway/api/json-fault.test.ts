import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findJsonFault } from "../../../../tee-bot/gateway/api/json-fault.ts";

describe("the place where JSON goes wrong", () => {
  it.each([
    ["", 0],
    ["{", 1],
    ['{"a":1', 6],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["{a:1}", 1],
    ['{"a":tru}', 5],
    ["[1,,2]", 3],
    ["[1 2]", 3],
    ['["a\nb"]', 3],
    ['["\\x"]', 2],
    ['["\\u12"]', 2],
    ["01", 0],
    ["1.", 0],
    ["{}}", 2],
    ["[1]]", 3],
    ["[1}", 2],
    ["\u00a0{}", 0],
    ['{"a":"never ends', 16],
    ["-", 0],
  ])("of %j is %i", (text, at) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(findJsonFault(text)).toBe(at);
  });

  it("is the end of any JSON that is cut short, and never found before the end of sound JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, seed) => {
        const text = JSON.stringify([value], undefined, 1);
        expect(findJsonFault(text)).toBe(text.length);
        const cut = text.slice(0, seed % text.length);
        expect(findJsonFault(`${cut}\u0001`)).toBeLessThanOrEqual(cut.length);
      }),
    );
  });
});
