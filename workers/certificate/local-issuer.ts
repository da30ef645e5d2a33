/**
 * A CA of the operator's own, for development and closed networks: signs at once, with the key among the edge's
 * secrets. Its clients have to be given the root.
 */
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Issuer } from "./issuer.ts";
import type { AcmeOrder } from "../../shared/acme/order.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";

const lifetimeMs = 90 * 86_400_000;
const backdateMs = 60 * 60_000; // clients' clocks may be behind
const serialBytes = 16; // RFC 5280 §4.1.2.2 allows 20

export function localIssuer(ca: { certificatePem: string; keyPem: string }, clock: Clock): Issuer {
  return {
    describe: () => ({
      kind: "local",
      roots: [ca.certificatePem],
      trust: "private",
      directories: [],
      resolvers: [],
    }),

    async step({ csr, hostnames }: AcmeOrder) {
      const { certificate: root, key } = await readCa(ca);
      const { publicKey } = new Pkcs10CertificateRequest(csr);
      const now = clock.now();
      const notBefore = now - backdateMs;
      const notAfter = Math.min(now + lifetimeMs, root.notAfter.getTime());
      const certificate = await X509CertificateGenerator.create({
        serialNumber: randomSerial(),
        issuer: root.subjectName,
        notBefore: new Date(notBefore),
        notAfter: new Date(notAfter),
        publicKey,
        signingKey: key,
        signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
          // Critical because the subject is empty (RFC 5280 §4.2.1.6).
          new SubjectAlternativeNameExtension(
            hostnames.map((value) => ({ type: "dns", value })),
            true,
          ),
          await AuthorityKeyIdentifierExtension.create(root.publicKey),
          await SubjectKeyIdentifierExtension.create(publicKey),
        ],
      });
      if (!(await certificate.verify({ publicKey: root.publicKey, signatureOnly: true })))
        throw new AppError("issuer-unavailable", "The CA's key does not belong to its certificate.");
      return {
        status: "valid",
        certificate: `${certificate.toString("pem")}\n`,
        notBefore: certificate.notBefore.getTime(), // in whole seconds
        notAfter: certificate.notAfter.getTime(),
      };
    },

    // It signs in one step, which leaves nothing behind.
    abandon: () => Promise.resolve(),
  };
}

async function readCa({ certificatePem, keyPem }: { certificatePem: string; keyPem: string }) {
  try {
    const [der] = PemConverter.decode(keyPem);
    if (!der) throw new Error("no PEM block");
    const key = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    return { certificate: new X509Certificate(certificatePem), key };
  } catch (error) {
    throw new AppError("issuer-unavailable", "The CA's certificate or P-256 key cannot be read.", { cause: error });
  }
}

/** Positive and of full length: the first bit clear, the second set. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(serialBytes));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
