import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { edwardsPem, p256Pem } from "../../../../tee-bot/attestation/keys/key-forms.ts";

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const rawPublic = (pem: string): string =>
  createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "der" }).subarray(-32).toString("hex");

describe("a key made of 32 bytes", () => {
  it("is the Ed25519 key of RFC 8032 §7.1, test 1", () => {
    const bytes = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    expect(rawPublic(edwardsPem("ed25519", bytes))).toBe(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
  });

  it("is the key that another implementation makes of it", () => {
    expect(rawPublic(edwardsPem("ed25519", seed(1)))).toBe(Buffer.from(ed25519.getPublicKey(seed(1))).toString("hex"));
    expect(rawPublic(edwardsPem("x25519", seed(1)))).toBe(Buffer.from(x25519.getPublicKey(seed(1))).toString("hex"));
  });

  it("is a P-256 key that signs, for whatever bytes, the same each time", () => {
    for (const byte of [0, 1, 0x7f, 0xff]) {
      const pem = p256Pem(seed(byte));
      expect(p256Pem(seed(byte))).toBe(pem);
      const key = createPrivateKey(pem);
      expect(key.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
      const data = Buffer.from("data");
      expect(verify("sha256", data, createPublicKey(key), sign("sha256", data, key))).toBe(true);
    }
    expect(p256Pem(seed(1))).not.toBe(p256Pem(seed(2)));
  });

  it("stays the same P-256 key in every version to come, or nodes would lose their certificates", () => {
    const { d } = createPrivateKey(p256Pem(seed(7))).export({ format: "jwk" });
    expect(d).toBe("5yYBJDkX0yUjD69GbvNTRpJlOKxnuSdgnEKsWJDFdfo");
  });
});
