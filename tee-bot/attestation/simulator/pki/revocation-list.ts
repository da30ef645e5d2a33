/** Lists of certificates that are no longer to be believed (RFC 5280 §5). */
import { AuthorityKeyIdentifierExtension, Extension, X509CrlGenerator } from "@peculiar/x509";
import { signingAlgorithm, signingKeyOf, type Holder } from "./authority.ts";
import { derInteger } from "./der.ts";

export interface RevocationListOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly validMs: number;
  readonly revoked: readonly Holder[];
}

const crlNumberOid = "2.5.29.20";

/** DER. */
export async function createRevocationList(
  issuer: Holder,
  { now, validMs, revoked }: RevocationListOptions,
): Promise<Buffer> {
  const list = await X509CrlGenerator.create({
    issuer: issuer.certificate.subjectName,
    thisUpdate: new Date(now),
    nextUpdate: new Date(now + validMs),
    entries: revoked.map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: new Date(now),
    })),
    extensions: [
      await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
      new Extension(crlNumberOid, false, derInteger(1)),
    ],
    signingAlgorithm,
    signingKey: signingKeyOf(issuer.key),
  });
  return Buffer.from(list.rawData);
}
