/**
 * What a person says to make a question their own: words that go into the nonces. They never go in as they came, and never
 * alone, so nobody has a TEE sign bytes of their choice, and evidence cannot be made before the question.
 */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";

export const challengeTag = "postern:challenge:v1";
/** How a nonce of a challenge is made, for whoever is to check it. */
export const challengeFormula = `SHA-256("${challengeTag}" ‖ 00 ‖ use ‖ 00 ‖ random ‖ words)`;
/** UTF-16 units. */
export const maxWordsLength = 500;
const randomLength = 32;

/** Two questions are asked with one challenge; neither's nonce can pass for the other's. */
export type ChallengeUse = "node" | "model";

export const challengeSchema = z.object({
  /** As they were written; may be empty. */
  words: z.string().max(maxWordsLength),
  /** Of the one who asked on the person's behalf; hex. */
  random: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Challenge = z.infer<typeof challengeSchema>;

export function drawChallenge(words: string, random: Uint8Array = randomBytes(randomLength)): Challenge {
  return { words, random: Buffer.from(random).toString("hex") };
}

/** 32 bytes. The random part has a fixed length, so no words can be read as another part. */
export function nonceOf({ words, random }: Challenge, use: ChallengeUse): Buffer {
  return createHash("sha256")
    .update(`${challengeTag}\0${use}\0`)
    .update(Buffer.from(random, "hex"))
    .update(words, "utf8")
    .digest();
}
