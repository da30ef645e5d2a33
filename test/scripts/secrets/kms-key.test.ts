import { describe, expect, it } from "vitest";
import { verifyKmsKey, type KmsKey, type KmsTrust } from "../../../scripts/secrets/kms-key.ts";

// The published example of dstack's SDK (sdk/js, verify-env-encrypt-public-key): a real signature without a time.
const key: KmsKey = {
  publicKey: Buffer.from("e33a1832c6562067ff8f844a61e51ad051f1180b66ec2551fb0251735f3ee90a", "hex"),
  signature: Buffer.from(
    "8542c49081fbf4e03f62034f13fbf70630bdf256a53032e38465a27c36fd6bed" +
      "7a5e7111652004aef37f7fd92fbfc1285212c4ae6a6154203a48f5e16cad2cef00",
    "hex",
  ),
  dated: undefined,
};
const trust: KmsTrust = {
  appId: Buffer.alloc(20),
  signers: ["0217610d74cbd39b6143842c6d8bc310d79da1d82cc9d17f8876376221eda0c38f"],
  now: 1_700_000_000,
  allowUndated: true,
};

describe("the KMS's key for secrets", () => {
  it("is believed when who is pinned has signed it for this application", () => {
    expect(verifyKmsKey(key, trust)).toEqual({ ok: true });
  });

  it("is refused for another application, another key, another signer or a broken signature", () => {
    expect(verifyKmsKey(key, { ...trust, appId: Buffer.alloc(20, 1) }).ok).toBe(false);
    expect(verifyKmsKey({ ...key, publicKey: Buffer.alloc(32, 1) }, trust).ok).toBe(false);
    expect(verifyKmsKey(key, { ...trust, signers: [`02${"ab".repeat(32)}`] }).ok).toBe(false);
    expect(verifyKmsKey({ ...key, signature: Buffer.alloc(65, 0xff) }, trust).ok).toBe(false);
    expect(verifyKmsKey({ ...key, signature: undefined }, trust).ok).toBe(false);
  });

  it("is refused without a time in its signature, unless that was allowed", () => {
    const verdict = verifyKmsKey(key, { ...trust, allowUndated: false });
    expect(verdict).toMatchObject({ ok: false, reason: expect.stringContaining("has no time") as string });
  });

  it("does not fall back to the signature without a time where the one with it is bad", () => {
    const dated = { signature: Buffer.alloc(65, 1), timestamp: BigInt(trust.now) };
    expect(verifyKmsKey({ ...key, dated }, trust).ok).toBe(false);
    expect(verifyKmsKey({ ...key, dated: { ...dated, timestamp: 1n } }, trust)).toMatchObject({
      reason: expect.stringContaining("s old") as string,
    });
  });
});
