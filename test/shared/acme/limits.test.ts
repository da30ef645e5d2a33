import { describe, expect, it } from "vitest";
import { parseIssuanceLimits } from "../../../shared/acme/limits.ts";

describe("limits as text", () => {
  it("are those of Let's Encrypt where nothing is said", () => {
    const dayMs = 86_400_000;
    expect(parseIssuanceLimits("")).toEqual({
      certificates: { count: 50, windowMs: 7 * dayMs },
      duplicates: { count: 5, windowMs: 7 * dayMs },
      orders: { count: 300, windowMs: 3 * 3_600_000 },
    });
  });

  it("replace only what they name", () => {
    const { certificates, duplicates } = parseIssuanceLimits(" certificates=2000/90m ");
    expect(certificates).toEqual({ count: 2_000, windowMs: 90 * 60_000 });
    expect(duplicates.count).toBe(5);
  });

  it.each([
    ["certificates=50", "is not like certificates=50/7d"],
    ["certificate=50/7d", "is not like"],
    ["certificates=50/7w", "is not like"],
    ["certificates=-1/7d", "is not like"],
    ["certificates=0/7d", "would let no order through"],
    ["orders=5/0h", "would let no order through"],
    ["orders=1/1h, orders=2/1h", "orders is there twice"],
    ["orders=1/1h,", "is not like"],
  ])("%j are refused: %s", (text, mistake) => {
    expect(() => parseIssuanceLimits(text)).toThrow(mistake);
  });
});
