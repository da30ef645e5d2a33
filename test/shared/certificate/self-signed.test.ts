import { Buffer } from "node:buffer";
import { generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createIdentityCertificate, ed25519KeyOfSpki } from "../../../shared/certificate/self-signed.ts";
import { nodeIdOfKey } from "../../../shared/registry/node-id.ts";

const now = Date.UTC(2026, 10, 21);
const day = 86_400_000;

describe("createIdentityCertificate", () => {
  it("makes a certificate whose key is the identity, as OpenSSL reads it", async () => {
    const keys = (await webcrypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const raw = new Uint8Array(await webcrypto.subtle.exportKey("raw", keys.publicKey));
    const id = nodeIdOfKey(raw);
    const certificate = new X509Certificate(await createIdentityCertificate(id, keys, now));
    const { publicKey } = certificate;

    expect(publicKey.asymmetricKeyType).toBe("ed25519");
    expect(ed25519KeyOfSpki(publicKey.export({ type: "spki", format: "der" }))).toEqual(raw);
    expect(certificate.verify(publicKey)).toBe(true);
    expect(certificate.subject).toBe(`CN=${id}`);
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.validFromDate.getTime()).toBe(now - day);
    expect(certificate.validToDate.getTime()).toBe(now + 3650 * day);
  });
});

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
