import { describe, expect, it } from "vitest";
import { PairingCodes, pairingCodeLifeMs, parsePairingCode } from "../../../../tee-bot/bot/access/pairing-codes.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("a pairing code", () => {
  const clock = new ManualClock(0);
  const codes = new PairingCodes({ clock, isWanted: true });
  const redeem = (text: string): boolean => codes.redeem(parsePairingCode(text) ?? "") !== undefined;

  it("has eight letters that look like no others, is different each time, and good for an hour", () => {
    const made = Array.from({ length: 50 }, () => new PairingCodes({ clock, isWanted: true }).make());
    for (const { code, expiresAt } of made) {
      expect(code).toMatch(/^[A-HKMNPRSTWXYZ]{4}-[A-HKMNPRSTWXYZ]{4}$/);
      expect(expiresAt).toBe(pairingCodeLifeMs);
    }
    expect(new Set(made.map(({ code }) => code)).size).toBe(50);
  });

  it("is good once, however it is written", () => {
    const { code } = codes.make();
    expect(redeem("ABCD-EFGH")).toBe(false);
    expect(redeem(` ${code.toLowerCase().replace("-", " ")}\n`)).toBe(true);
    expect(redeem(code)).toBe(false);
  });

  it("is good again when its pairing could not be stored", () => {
    const { code } = codes.make();
    codes.redeem(parsePairingCode(code) ?? "")?.giveBack();
    expect(redeem(code)).toBe(true);
  });

  it("is not good any more after an hour", () => {
    const { code } = codes.make();
    clock.advance(pairingCodeLifeMs);
    expect(redeem(code)).toBe(false);
  });

  it("is refused to the operator while a hundred wait", () => {
    const many = new PairingCodes({ clock, isWanted: true });
    for (let n = 0; n < 100; n++) many.make();
    expect(() => many.make()).toThrow("100 pairing codes wait to be used");
    clock.advance(pairingCodeLifeMs);
    expect(many.make().code).toHaveLength(9);
  });

  it.each(["", "good day", "ABCDEFG", "ABCDEFGHI", "ABCD-EFG1", "ÄBCDEFGH"])("is not %j", (text) => {
    expect(parsePairingCode(text)).toBeUndefined();
  });
});
