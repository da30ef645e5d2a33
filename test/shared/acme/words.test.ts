import { describe, expect, it } from "vitest";
import { caName, lengthInWords, listInWords, timeInWords } from "../../../shared/acme/words.ts";
import { troubleOf } from "../../../shared/acme/trouble.ts";

describe("words", () => {
  it.each([
    [0, "1 s"],
    [8_000, "8 s"],
    [5 * 60_000, "5 min"],
    [3 * 3_600_000, "3 h"],
    [7 * 86_400_000, "7 days"],
  ])("for %i ms are %s", (ms, words) => {
    expect(lengthInWords(ms)).toBe(words);
  });

  it("for a time are to the minute, in UTC", () => {
    expect(timeInWords(Date.UTC(2026, 10, 21, 14, 20, 59))).toBe("2026-11-21 14:20 UTC");
  });

  it.each([
    ["https://acme-v02.api.letsencrypt.org/directory", "Let's Encrypt"],
    ["https://acme-staging-v02.api.letsencrypt.org/directory", "Let's Encrypt (staging)"],
    ["https://acme.zerossl.com/v2/DV90", "ZeroSSL"],
    ["https://localhost:14000/dir", "localhost:14000"],
    ["no URL", "no URL"],
  ])("for the CA at %s are %s", (directory, name) => {
    expect(caName(directory)).toBe(name);
  });

  it("for a list have one and at the end", () => {
    expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listInWords)).toEqual(["", "a", "a and b", "a, b and c"]);
  });

  it("for a refusal are the CA's, with what to do", () => {
    const failure = { kind: "refused", type: "caa", detail: "CAA record forbids issuance" } as const;
    expect(troubleOf(failure, "https://acme-v02.api.letsencrypt.org/directory")).toEqual({
      detail: "Let's Encrypt refused: CAA record forbids issuance",
      remedy: expect.stringContaining("Look at the CAA records") as string,
    });
  });
});
