import { webcrypto, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ed25519KeyOfSpki } from "../../../shared/certificate/ed25519-spki.ts";
import { createIdentityCertificate } from "../../../shared/certificate/self-signed.ts";
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
