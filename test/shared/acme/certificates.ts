/** Requests and certificates for tests of what is done with them. */
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const p256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export const createKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(p256, true, ["sign", "verify"]);

const san = (names: readonly string[]) =>
  new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })));

/** DER. */
export async function createCsr(names: readonly string[], keys?: CryptoKeyPair): Promise<Uint8Array<ArrayBuffer>> {
  const csr = await Pkcs10CertificateRequestGenerator.create({
    keys: keys ?? (await createKeys()),
    signingAlgorithm: p256,
    extensions: [san(names)],
  });
  return new Uint8Array(csr.rawData);
}

export interface Issued {
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  /** Hexadecimal. */
  readonly serial?: string;
}

/** A CA whose keys are made once. */
export class TestIssuer {
  readonly #keys = createKeys();

  /** PEM chain: a certificate for the request's key, and the issuer's own. */
  async issue(csr: Uint8Array<ArrayBuffer>, { names, notBefore, notAfter, serial = "01" }: Issued): Promise<string> {
    const keys = await this.#keys;
    const dates = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
    const leaf = await X509CertificateGenerator.create({
      ...dates,
      serialNumber: serial,
      issuer: "CN=Test Issuer",
      publicKey: new Pkcs10CertificateRequest(csr).publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: p256,
      extensions: [san(names), await AuthorityKeyIdentifierExtension.create(keys.publicKey)],
    });
    const issuer = await X509CertificateGenerator.createSelfSigned({
      ...dates,
      name: "CN=Test Issuer",
      keys,
      signingAlgorithm: p256,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return `${leaf.toString("pem")}\n${issuer.toString("pem")}\n`;
  }
}
