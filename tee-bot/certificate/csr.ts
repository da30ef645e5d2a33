import {
  type JsonGeneralNames,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from "@peculiar/x509";
import { createPublicKey } from "node:crypto";
import type { TlsKey } from "./tls-key.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A PKCS #10 request (RFC 2986, PEM) with an empty subject and the names in the SAN only (RFC 8555 §7.4). */
export async function createCsr(key: TlsKey, hostnames: readonly string[]): Promise<string> {
  const names: JsonGeneralNames = hostnames.map((value) => ({ type: "dns", value }));
  const csr = await Pkcs10CertificateRequestGenerator.create({
    keys: {
      privateKey: key.privateKey.toCryptoKey(algorithm, false, ["sign"]),
      publicKey: createPublicKey(key.privateKey).toCryptoKey(algorithm, true, ["verify"]),
    },
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names)],
  });
  return csr.toString("pem");
}
