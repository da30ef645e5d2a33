import { generateKeyPairSync, sign } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { describe, expect, it } from "vitest";
import { addressOf, hasSigned, personalHash } from "../../../../tee-bot/attestation/near/signing-key.ts";

/** The first account of Hardhat and Anvil, known to everybody who writes for Ethereum. */
const secret = Buffer.from("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "hex");
const address = "f39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const key = { algorithm: "ecdsa", address } as const;
const text = "model:request:response";

function signed(message: string): Buffer {
  const hash = personalHash(new TextEncoder().encode(message));
  const [recovery = 0, ...rs] = secp256k1.sign(hash, secret, { prehash: false, format: "recovered" });
  return Buffer.from([...rs, recovery + 27]);
}

describe("a signing key of ecdsa", () => {
  it("has the address that Ethereum gives it, in every form of the key", () => {
    const whole = Buffer.from(secp256k1.getPublicKey(secret, false)).toString("hex");
    const compressed = Buffer.from(secp256k1.getPublicKey(secret, true)).toString("hex");
    for (const form of [whole, whole.slice(2), compressed]) expect(addressOf("ecdsa", form)).toBe(address);
  });

  it("has none when it is no point of the curve", () => {
    for (const form of ["", "00", "04".repeat(65), "ff".repeat(64), "02".repeat(33)])
      expect(addressOf("ecdsa", form)).not.toBe(address);
    expect(addressOf("ecdsa", "04".repeat(65))).toBeUndefined();
  });

  it("hashes a text as EIP-191 says", () => {
    // keccak256("\x19Ethereum Signed Message:\n11hello world"), as in the documents of ethers and web3.
    const hash = Buffer.from(personalHash(Buffer.from("hello world"))).toString("hex");
    expect(hash).toBe("d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68");
  });

  it("has signed what it has signed, and nothing else", () => {
    const signature = signed(text).toString("hex");
    expect(hasSigned(key, text, signature)).toBe(true);
    expect(hasSigned(key, `${text} `, signature)).toBe(false);
    expect(hasSigned({ ...key, address: `00${address.slice(2)}` }, text, signature)).toBe(false);
  });

  it("is told from every signature with one bit flipped, and from what is none", () => {
    const signature = signed(text);
    for (let at = 0; at < signature.length; at++) {
      const flipped = Buffer.from(signature);
      flipped[at]! ^= 1 << (at % 8);
      expect(hasSigned(key, text, flipped.toString("hex"))).toBe(false);
    }
    for (const none of ["", "00", "00".repeat(65), "ff".repeat(65), signature.subarray(1).toString("hex")])
      expect(hasSigned(key, text, none)).toBe(false);
  });
});

describe("a signing key of ed25519", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  const own = Buffer.from(x, "base64url").toString("hex");

  it("is its own address", () => {
    expect(addressOf("ed25519", own)).toBe(own);
    expect(addressOf("ed25519", own.slice(2))).toBeUndefined();
  });

  it("has signed what it has signed, and nothing else", () => {
    const signature = sign(null, Buffer.from(text), privateKey).toString("hex");
    const named = { algorithm: "ed25519", address: own } as const;
    expect(hasSigned(named, text, signature)).toBe(true);
    expect(hasSigned(named, `${text} `, signature)).toBe(false);
    expect(hasSigned({ ...named, address: "00".repeat(32) }, text, signature)).toBe(false);
    expect(hasSigned(named, text, signature.slice(2))).toBe(false);
  });
});
