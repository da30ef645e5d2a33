import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { readSeenCertificate } from "../../../../tee-bot/attestation/transparency/seen-certificate.ts";
import { issue, others } from "../../../support/ct-certificates.ts";

it("certificate and precertificate tell the same: names, key, issuer, serial number, time", async () => {
  const { certificate, precertificate, spkiSha256 } = await issue(["alice.example.net", "*.example.org"]);
  const seen = readSeenCertificate({ kind: "certificate", der: certificate.der });
  expect(seen).toMatchObject({
    names: ["alice.example.net", "*.example.org"],
    spkiSha256,
    issuer: "CN=Test CA, O=Stand-in",
    serial: new X509Certificate(certificate.der).serialNumber.toLowerCase(),
  });
  expect(seen!.notAfter - seen!.notBefore).toBeGreaterThan(89 * 86_400_000);
  expect(readSeenCertificate({ kind: "precertificate", der: precertificate.der })).toEqual(seen);
});

it("what is no certificate, or cut at any byte, is undefined", async () => {
  const { certificate } = await issue(["alice.example.net"]);
  for (const { der } of others(50)) expect(readSeenCertificate({ kind: "certificate", der })).toBeUndefined();
  for (let at = 0; at < certificate.der.length; at++)
    expect(readSeenCertificate({ kind: "certificate", der: certificate.der.subarray(0, at) })).toBeUndefined();
  expect(readSeenCertificate({ kind: "precertificate", der: certificate.der })).toBeUndefined();
});
