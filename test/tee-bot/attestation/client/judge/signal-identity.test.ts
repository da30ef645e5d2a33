import { describe, expect, it } from "vitest";
import {
  judgeSignalIdentity,
  parseExpectedSignal,
} from "../../../../../tee-bot/attestation/client/judge/signal-identity.ts";
import { someKeyset } from "../support/evidence.ts";

const half = "300354477692869396892869876765";
const other = "458257569162576843440918079131";
const key = `05${"ab".repeat(32)}`;
const keyset = someKeyset({ signal_identity: key, signal_safety_number: half });
const outcome = (given: string, of = keyset): string | undefined =>
  judgeSignalIdentity(of, parseExpectedSignal(given))[0]?.outcome;

describe("the comparison of a Signal identity", () => {
  it("takes the number of a phone, the bot's digits or its key, however they are spaced", () => {
    expect(outcome(`${half}${other}`)).toBe("pass");
    expect(outcome(`${other}${half}`.replaceAll(/.{5}/g, "$& "))).toBe("pass");
    expect(outcome(half)).toBe("pass");
    expect(outcome(key.toUpperCase())).toBe("pass");
  });

  it("fails where they are of somebody else", () => {
    expect(outcome(`${other}${other}`)).toBe("fail");
    expect(outcome(other)).toBe("fail");
    expect(outcome(`05${"ac".repeat(32)}`)).toBe("fail");
  });

  it("does not pass where the quote names no key, and is no check where nobody compares", () => {
    expect(outcome(half, someKeyset())).toBe("skip");
    expect(judgeSignalIdentity(undefined, parseExpectedSignal(half))[0]?.outcome).toBe("skip");
    expect(judgeSignalIdentity(keyset, undefined)).toEqual([]);
  });

  it("refuses what is none of the three", () => {
    for (const given of ["", "12345", "+15550000001", "ab".repeat(33), half + "1"])
      expect(() => parseExpectedSignal(given)).toThrow("This is no Signal identity.");
  });
});
