import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { drawChallenge, nonceOf } from "../../../../tee-bot/attestation/client/challenge.ts";

const random = new Uint8Array(32).fill(5);

describe("the nonces of a challenge", () => {
  it("are made as the formula in each proof file says", () => {
    const nonce = nonceOf(drawChallenge("grüß dich", random), "node");
    const said = Buffer.concat([Buffer.from("postern:challenge:v1\0node\0"), random, Buffer.from("grüß dich")]);
    expect(nonce.toString("hex")).toBe(createHash("sha256").update(said).digest("hex"));
  });

  it("differ by words, by chance and by what they are for", () => {
    const nonces = [
      nonceOf(drawChallenge("a", random), "node"),
      nonceOf(drawChallenge("b", random), "node"),
      nonceOf(drawChallenge("a"), "node"),
      nonceOf(drawChallenge("a"), "node"),
      nonceOf(drawChallenge("a", random), "model"),
    ];
    expect(new Set(nonces.map((nonce) => nonce.toString("hex"))).size).toBe(nonces.length);
    expect(nonces.every((nonce) => nonce.length === 32)).toBe(true);
  });
});
