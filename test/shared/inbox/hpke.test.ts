import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../shared/hex.ts";
import { openSealed, sealTo } from "../../../shared/inbox/hpke.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const text = (value: string): Bytes => Uint8Array.from(Buffer.from(value));
const bytes = (hex: string): Bytes => fromHex(hex) ?? new Uint8Array(0);

/** PrivateKeyInfo around an X25519 key (RFC 8410 §7). */
const pkcs8Prefix = "302e020100300506032b656e04220420";

/** Sealed by @hpke/core 1.9.0, an implementation by others, to a key that it derived. */
const key = "8228dd7384f16baddf897c967d209951ad239738e72bbe67a4b60ed45b4b8821";
const publicKey = "7a6152cdd59c493d09cb094a4f09dab35f189dbba6bae1d8b46fcfa037110b0b";
const vectors = [
  {
    plaintext: "a webhook",
    info: "postern test",
    aad: "node\nhook",
    enc: "f94015ce7a9118ee807035c6f603c2c0892f1802e3f3defff440f03949e65a24",
    ct: "9452ed35bc43eb146131146394f87a3d12c93cca26bd2bf2e6",
  },
  {
    plaintext: "",
    info: "",
    aad: "",
    enc: "33dce52a7cbbe2196215e3c506af954ae533db8dd5c477d30b815324bc836a47",
    ct: "468e330ae8954ec449be7499b91ae00d",
  },
  {
    plaintext: "x".repeat(100),
    info: "i".repeat(200),
    aad: "a".repeat(70),
    enc: "d3ba6bf2898dc603c31a8f3ad471a615cbaac60b92afcb075877981862ad9961",
    ct: "ff293b58201033a2c7c7542258f0168430b5fced1285554ffb57e3d2a9c37af739b89e6836d5cf2f2d0de2bd866614f166ab8947d31c0e4b6ead93a4bf1a7eb311ba1aaac9095f6e7ae7f9daed35075d4785386f10f01e1394ba71b3f1ae5deaa336074c20f9782fbd18ee17e6e16e780a03767f",
  },
];

function keysOf(hex: string): { privateKey: CryptoKey; publicKey: Bytes } {
  const pem = createPrivateKey({ key: Buffer.from(pkcs8Prefix + hex, "hex"), format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(pem).export({ format: "jwk" });
  return {
    privateKey: pem.toCryptoKey("X25519", false, ["deriveBits"]),
    publicKey: Uint8Array.from(Buffer.from(x, "base64url")),
  };
}

function freshKeys(): { privateKey: CryptoKey; publicKey: Bytes } {
  const { d = "" } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  return keysOf(Buffer.from(d, "base64url").toString("hex"));
}

const context = { info: text("info"), aad: text("aad") };

describe("HPKE", () => {
  it.each(vectors)("opens what another implementation has sealed: $plaintext", async (vector) => {
    const keys = keysOf(key);
    expect(Buffer.from(keys.publicKey).toString("hex")).toBe(publicKey);
    const opened = await openSealed(keys, bytes(vector.enc + vector.ct), {
      info: text(vector.info),
      aad: text(vector.aad),
    });
    expect(Buffer.from(opened).toString()).toBe(vector.plaintext);
  });

  it("opens what it has sealed, whatever it is", async () => {
    const keys = freshKeys();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.string(), fc.string(), async (data, info, aad) => {
        const plaintext = Uint8Array.from(data);
        const within = { info: text(info), aad: text(aad) };
        const sealed = await sealTo(keys.publicKey, plaintext, within);
        expect(await openSealed(keys, sealed, within)).toEqual(plaintext);
      }),
      { numRuns: 50 },
    );
  });

  it("seals the same differently each time", async () => {
    const { publicKey: to } = freshKeys();
    const [one, other] = [await sealTo(to, text("x"), context), await sealTo(to, text("x"), context)];
    expect(Buffer.from(one).equals(Buffer.from(other))).toBe(false);
  });

  it("opens nothing under another key, in another context, changed or cut", async () => {
    const keys = freshKeys();
    const sealed = await sealTo(keys.publicKey, text("secret"), context);
    await expect(openSealed(freshKeys(), sealed, context)).rejects.toThrow();
    await expect(openSealed(keys, sealed, { ...context, info: text("other") })).rejects.toThrow();
    await expect(openSealed(keys, sealed, { ...context, aad: text("other") })).rejects.toThrow();
    for (let at = 0; at < sealed.length; at++) {
      const spoiled = sealed.slice();
      spoiled[at] = (spoiled[at] ?? 0) ^ 1;
      await expect(openSealed(keys, spoiled, context)).rejects.toThrow();
      await expect(openSealed(keys, sealed.slice(0, at), context)).rejects.toThrow();
    }
  });

  it("seals nothing to a key of small order", async () => {
    await expect(sealTo(new Uint8Array(32), text("x"), context)).rejects.toThrow();
    await expect(sealTo(Uint8Array.of(1, ...new Uint8Array(31)), text("x"), context)).rejects.toThrow();
  });
});
