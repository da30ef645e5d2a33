import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatKey, identityKeyOf, safetyNumberOf } from "../../../../../tee-bot/bot/simulator/signal/identity.ts";

const identity = (name: string) => {
  const uuid = `${name.repeat(8)}-1111-4111-8111-${name.repeat(12)}`;
  return { uuid, key: identityKeyOf(uuid, 1) };
};

describe("an identity", () => {
  it("has a key like those of Signal, another one for each installation", () => {
    const { uuid, key } = identity("a");
    expect(key).toHaveLength(33);
    expect(key[0]).toBe(5);
    expect(identityKeyOf(uuid, 1)).toEqual(key);
    expect(identityKeyOf(uuid, 2)).not.toEqual(key);
    expect(formatKey(Buffer.from("05ff00", "hex"))).toBe("05 ff 00");
  });

  it("has a safety number with another one, which both compute alike", () => {
    const [one, other] = [identity("a"), identity("b")];
    expect(safetyNumberOf(one, other)).toMatch(/^\d{60}$/);
    expect(safetyNumberOf(one, other)).toBe(safetyNumberOf(other, one));
    expect(safetyNumberOf(one, identity("c"))).not.toBe(safetyNumberOf(one, other));
  });

  it("is hashed 5,200 times, as libsignal does it", () => {
    const { uuid, key } = identity("a");
    let digest = Buffer.concat([Buffer.from([0, 0]), key, Buffer.from(uuid.replaceAll("-", ""), "hex")]);
    for (let round = 0; round < 5_200; round++) digest = createHash("sha512").update(digest).update(key).digest();
    const first = (BigInt(`0x${digest.subarray(0, 5).toString("hex")}`) % 100_000n).toString().padStart(5, "0");
    expect(safetyNumberOf(identity("a"), identity("a")).slice(0, 5)).toBe(first);
  });
});
