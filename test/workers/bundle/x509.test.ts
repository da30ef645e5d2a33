import {
  ChallengePasswordAttribute,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509Certificates,
} from "@peculiar/x509";
import { expect, test } from "vitest";
import { keysFor, p256 } from "../support/csr.ts";

/** Made by OpenSSL 3.0.19: req -new with the attribute challengePassword and two names. */
const withChallengePassword = `-----BEGIN CERTIFICATE REQUEST-----
MIIBLzCB1QIBADAYMRYwFAYDVQQDDA1hLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAEDwB8GIUgSNVi2ehxYf77pSJrp8ZFh7TjiRrspvmSwYCy
HYDmE50Du6JZIEvbQzhVUtfVWRO8WxJR6KMLKkqyCKBbMB8GCSqGSIb3DQEJBzES
DBBhIGNoYWxsZW5nZSB3b3JkMDgGCSqGSIb3DQEJDjErMCkwJwYDVR0RBCAwHoIN
YS5leGFtcGxlLmNvbYINYi5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNJADBGAiEA
+lXKchPR1igeDScof2XSgHzhToCbDSVJUNQyDgJYwtgCIQD3BZg54FhJwwlpzE6U
1/RUMqcy9x0YzzXnXz2uqSopKg==
-----END CERTIFICATE REQUEST-----`;

const rsa = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};

const selfSigned = async (algorithm: object) =>
  X509CertificateGenerator.createSelfSigned({
    name: "CN=a.example.com",
    keys: await keysFor(algorithm),
    signingAlgorithm: algorithm as { name: string },
    extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: "a.example.com" }])],
  });

test("the bundle's x509 reads the attributes of a certificate request", async () => {
  const csr = new Pkcs10CertificateRequest(withChallengePassword);
  expect(csr.getAttribute("1.2.840.113549.1.9.7")).toBeInstanceOf(ChallengePasswordAttribute);
  expect(csr.getAttributes("1.2.840.113549.1.9.7")).toMatchObject([{ password: "a challenge word" }]);
  const [names] = csr.extensions.map(({ rawData }) => new SubjectAlternativeNameExtension(rawData).names.toJSON());
  expect(names).toEqual(["a.example.com", "b.example.com"].map((value) => ({ type: "dns", value })));
  expect(await csr.verify()).toBe(true);
});

test.for([
  ["P-256", p256],
  ["P-384", { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" }],
  ["RSA", rsa],
  ["Ed25519", { name: "Ed25519" }],
] as const)("the bundle's x509 signs and verifies with %s", async ([, algorithm]) => {
  const certificate = await selfSigned(algorithm);
  expect(await certificate.verify()).toBe(true);
  expect(await certificate.verify({ publicKey: (await selfSigned(algorithm)).publicKey })).toBe(false);
});

test("PKCS #7 is refused in words", async () => {
  const chain = new X509Certificates([await selfSigned(p256)]);
  expect(() => chain.export("raw")).toThrow("PKCS #7 is not in the edge's bundle");
});
