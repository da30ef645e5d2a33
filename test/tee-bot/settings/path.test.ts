import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPath, parsePath } from "../../../tee-bot/settings/path.ts";

describe("a path", () => {
  it("is written as people write it", () => {
    expect(formatPath(["gateway", "providers", 1, "url"])).toBe("gateway.providers[1].url");
    expect(formatPath(["gateway", "aliases", "gpt-4.1"])).toBe('gateway.aliases["gpt-4.1"]');
  });

  it("is read back from what was written", () => {
    const step = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.nat({ max: 999_999 }),
      fc.constantFrom("node", "a-b", "__proto__"),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (path) => {
        expect(parsePath(formatPath(path))).toEqual(path);
      }),
    );
  });

  it.each(["", ".", ".a", "a.", "a..b", "a b", "a[x]", "a[", 'a["x]', 'a["\\q"]', "a[1234567]"])(
    "is not %j",
    (text) => {
      expect(parsePath(text)).toBeUndefined();
    },
  );
});
