import { createPublicKey } from "node:crypto";
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { createCsr } from "../../../tee-bot/certificate/csr.ts";
import { newTlsKey } from "../support/issue.ts";

describe("a certificate request", () => {
  const privateKey = newTlsKey();
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const hostnames = ["alice.postern.test", `${"a".repeat(52)}.postern.test`];
  const created = createCsr({ pem: "", privateKey, spki }, hostnames);

  it("is proven by the key it is for, and carries no other", async () => {
    const csr = new Pkcs10CertificateRequest(await created);
    expect(await csr.verify()).toBe(true);
    expect(Buffer.from(csr.publicKey.rawData).equals(spki)).toBe(true);
  });

  it("has an empty subject and its names in the SAN only, in their order", async () => {
    const csr = new Pkcs10CertificateRequest(await created);
    expect(csr.subject).toBe("");
    expect(csr.extensions).toHaveLength(1);
    const { names } = new SubjectAlternativeNameExtension(csr.extensions[0]?.rawData ?? new Uint8Array());
    expect(names.toJSON()).toEqual(hostnames.map((value) => ({ type: "dns", value })));
  });

  it("is PEM and never holds the private key", async () => {
    expect(await created).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[^-]+-----END CERTIFICATE REQUEST-----\n?$/);
  });
});
