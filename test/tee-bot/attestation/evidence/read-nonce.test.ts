import { describe, expect, it } from "vitest";
import { readNonce } from "../../../../tee-bot/attestation/evidence/read-nonce.ts";

const nonce = "0123456789abcdef".repeat(4);

describe("a nonce", () => {
  it("is exactly 64 lower-case hex characters, or not there", () => {
    expect(readNonce(`/x?nonce=${nonce}`)).toBe(nonce);
    expect(readNonce(`/x?a=b&nonce=${nonce}&c`)).toBe(nonce);
    for (const target of ["/x", "/x?", "/x?other=1", ""]) expect(readNonce(target)).toBeUndefined();
  });

  it.each([
    "nonce",
    "nonce=",
    `nonce=${nonce.toUpperCase()}`,
    `nonce=${nonce}0`,
    `nonce=${nonce.slice(1)}`,
    `nonce=0x${nonce.slice(2)}`,
    `nonce=${nonce.slice(1)}%00`,
    `nonce=%20${nonce}`,
    `nonce=${nonce.slice(1)}g`,
    `nonce=${nonce}&nonce=${nonce}`,
  ])("is refused as %s", (query) => {
    expect(() => readNonce(`/x?${query}`)).toThrow(expect.objectContaining({ code: "bad-request" }) as Error);
  });
});
