import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ed25519KeyOfSpki } from "../../../shared/certificate/ed25519-spki.ts";

describe("ed25519KeyOfSpki", () => {
  const spkiOf = (keys: { publicKey: { export(options: { type: "spki"; format: "der" }): Buffer } }): Buffer =>
    keys.publicKey.export({ type: "spki", format: "der" });
  const good = spkiOf(generateKeyPairSync("ed25519"));

  it("gives the last 32 bytes of an Ed25519 key", () => {
    expect(Buffer.from(ed25519KeyOfSpki(good) ?? [])).toEqual(good.subarray(-32));
  });

  it.each([
    ["X25519, which has the same length", spkiOf(generateKeyPairSync("x25519"))],
    ["Ed448", spkiOf(generateKeyPairSync("ed448"))],
    ["P-256", spkiOf(generateKeyPairSync("ec", { namedCurve: "P-256" }))],
    ["RSA", spkiOf(generateKeyPairSync("rsa", { modulusLength: 1024 }))],
    ["a key cut short", good.subarray(0, -1)],
    ["a key with a byte more", Buffer.concat([good, Buffer.of(0)])],
    ["nothing", Buffer.alloc(0)],
  ])("gives nothing for %s", (_, spki) => {
    expect(ed25519KeyOfSpki(spki)).toBeUndefined();
  });
});
