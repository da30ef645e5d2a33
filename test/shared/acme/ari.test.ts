import { describe, expect, it } from "vitest";
import { AuthorityKeyIdentifierExtension, type X509Certificate, X509CertificateGenerator } from "@peculiar/x509";
import { certificateIdOf, parseRenewalInfo } from "../../../shared/acme/ari.ts";
import { createCsr, createKeys, TestIssuer } from "./certificates.ts";

/** A certificate with the key id and the serial number of the example in RFC 9773 §4.1. */
async function createExample(): Promise<X509Certificate> {
  return X509CertificateGenerator.createSelfSigned({
    serialNumber: "0087654321",
    notBefore: new Date(0),
    notAfter: new Date(1e12),
    keys: await createKeys(),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [new AuthorityKeyIdentifierExtension("69885b6b87464041e1b37b847ba0ae2cde01c8d4")],
  });
}

describe("a certificate's name under ARI", () => {
  it("is that of the example in RFC 9773", async () => {
    const example = await createExample();
    expect(certificateIdOf(new Uint8Array(example.rawData))).toBe("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    expect(certificateIdOf(example.toString("pem"))).toBe("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  });

  it("is that of the leaf when a whole chain is given", async () => {
    const chain = await new TestIssuer().issue(await createCsr(["a.test"]), {
      names: ["a.test"],
      notBefore: 0,
      notAfter: 1e12,
      serial: "7f00ff",
    });
    expect(certificateIdOf(chain)).toMatch(/^[\w-]{27}\.fwD_$/);
  });

  it.each([
    ["nothing", ""],
    ["text", "hello"],
    ["bytes that are no certificate", new Uint8Array([0x30, 0x03, 0x02, 0x01, 0x01])],
  ])("is nothing for %s", (_, certificate) => {
    expect(certificateIdOf(certificate)).toBeUndefined();
  });
});

describe("renewal information", () => {
  const window = { start: "2026-01-02T04:00:00Z", end: "2026-01-03T04:00:00.123456789Z" };
  const hourMs = 3_600_000;

  it("is a window, a page to read, and when to ask again", () => {
    const explanationURL = "https://ca.example/docs/ari";
    expect(parseRenewalInfo({ suggestedWindow: window, explanationURL }, 6 * hourMs)).toEqual({
      from: Date.UTC(2026, 0, 2, 4),
      to: Date.UTC(2026, 0, 3, 4, 0, 0, 123),
      explanationUrl: explanationURL,
      retryAfterMs: 6 * hourMs,
    });
  });

  it.each([
    [undefined, 6 * hourMs],
    [1_000, hourMs],
    [365 * 24 * hourMs, 24 * hourMs],
  ])("with a Retry-After of %s ms is asked for again after %i ms", (retryAfterMs, expected) => {
    expect(parseRenewalInfo({ suggestedWindow: window }, retryAfterMs)?.retryAfterMs).toBe(expected);
  });

  it("leaves out a page that is no web address", () => {
    expect(parseRenewalInfo({ suggestedWindow: window, explanationURL: "javascript:alert(1)" }, 0)).not.toHaveProperty(
      "explanationUrl",
    );
  });

  it.each([
    ["null", null],
    ["no window", {}],
    ["a window that ends before it begins", { suggestedWindow: { start: window.end, end: window.start } }],
    ["times that are none", { suggestedWindow: { start: "soon", end: "later" } }],
  ])("of %s is none", (_, body) => {
    expect(parseRenewalInfo(body, 0)).toBeUndefined();
  });
});
