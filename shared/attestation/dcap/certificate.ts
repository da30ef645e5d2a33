/**
 * X.509 certificates (RFC 5280 §4.1) of the profile that Intel uses: ECDSA P-256 with SHA-256 throughout. Anything else
 * is refused rather than half understood; it is read without a library so that whoever signed nothing costs nothing.
 *
 *   Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
 *   TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                                 subjectPublicKeyInfo, …, [3] extensions }
 */
import { toHex } from "../../hex.ts";
import {
  derBits,
  derNumber,
  derOid,
  DerSequence,
  derSignature,
  derTag,
  derTime,
  readDer,
  type DerElement,
} from "./der.ts";
import { rejected } from "../rejected.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What somebody has signed, as certificates and revocation lists have it. */
export interface Signed {
  readonly signed: Bytes;
  /** r ‖ s. */
  readonly signature: Bytes;
}

export interface Certificate extends Signed {
  readonly der: Bytes;
  /** Hex. */
  readonly serial: string;
  /** DER of the names, hex: equal names are equal bytes. */
  readonly issuer: string;
  readonly subject: string;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes;
  readonly isAuthority: boolean;
  readonly maySignCertificates: boolean;
  readonly maySignCrls: boolean;
  /** Values of extensions by object identifier, DER. */
  readonly extensions: ReadonlyMap<string, Bytes>;
}

export function parseCertificate(der: Bytes): Certificate {
  const { tbs, signed, signature } = parseSigned(der);
  tbs.take(derTag.context(0)); // version: 3, or there would be no extensions
  const serial = toHex(tbs.take(derTag.integer).content);
  expectAlgorithm(tbs.take(derTag.sequence));
  const issuer = toHex(tbs.take(derTag.sequence).whole);
  const validity = new DerSequence(tbs.take(derTag.sequence));
  const notBefore = derTime(validity.any());
  const notAfter = derTime(validity.any());
  const subject = toHex(tbs.take(derTag.sequence).whole);
  const publicKey = tbs.take(derTag.sequence).whole;
  const extensions = readExtensions(tbs.take(derTag.context(3)), knownCritical);
  tbs.end();
  const usage = readKeyUsage(extensions.get(oid.keyUsage));
  return {
    der,
    signed,
    signature,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    extensions,
    isAuthority: readIsAuthority(extensions.get(oid.basicConstraints)),
    maySignCertificates: (usage & keyCertSign) !== 0,
    maySignCrls: (usage & crlSign) !== 0,
  };
}

/** Whether the holder of `publicKey` (SubjectPublicKeyInfo) has signed. */
export async function isSignedBy({ signed, signature }: Signed, publicKey: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("spki", publicKey, p256, false, ["verify"]);
    return await crypto.subtle.verify(ecdsaSha256, key, signature, signed);
  } catch {
    return false; // a key that is none
  }
}

export const p256 = { name: "ECDSA", namedCurve: "P-256" };
export const ecdsaSha256 = { name: "ECDSA", hash: "SHA-256" };

/** The outer form that certificates and revocation lists share; `tbs` is what remains to be read. */
export function parseSigned(der: Bytes): Signed & { tbs: DerSequence } {
  const outer = new DerSequence(readDer(der, derTag.sequence));
  const tbs = outer.take(derTag.sequence);
  expectAlgorithm(outer.take(derTag.sequence));
  const signature = derSignature(derBits(outer.take(derTag.bitString)));
  outer.end();
  return { signed: tbs.whole, signature, tbs: new DerSequence(tbs) };
}

/** Both places that name the algorithm must name this one: ecdsa-with-SHA256, without parameters (RFC 5758 §3.2). */
export function expectAlgorithm(algorithm: DerElement): void {
  const members = new DerSequence(algorithm);
  if (derOid(members.take(derTag.oid)) !== "1.2.840.10045.4.3.2" || !members.done)
    throw rejected("Something in a certificate chain is not signed with ECDSA and SHA-256.");
}

/** Extensions ::= SEQUENCE OF SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
export function readExtensions({ content }: DerElement, known: ReadonlySet<string>): Map<string, Bytes> {
  const extensions = new Map<string, Bytes>();
  const list = new DerSequence(readDer(content, derTag.sequence));
  while (!list.done) {
    const extension = new DerSequence(list.take(derTag.sequence));
    const id = derOid(extension.take(derTag.oid));
    const critical = extension.optional(derTag.boolean);
    const value = extension.take(derTag.octetString).content;
    extension.end();
    if (critical && critical.content[0] !== 0 && !known.has(id))
      throw rejected(`A certificate or revocation list has the critical extension ${id}, which is not known.`);
    if (extensions.has(id)) throw rejected(`A certificate has the extension ${id} twice.`);
    extensions.set(id, value);
  }
  return extensions;
}

const oid = { keyUsage: "2.5.29.15", basicConstraints: "2.5.29.19" };
const knownCritical: ReadonlySet<string> = new Set(Object.values(oid));
/** KeyUsage's first byte (RFC 5280 §4.2.1.3), bit 0 the highest. */
const keyCertSign = 0x04;
const crlSign = 0x02;

function readKeyUsage(value: Bytes | undefined): number {
  return value ? (readDer(value, derTag.bitString).content[1] ?? 0) : 0;
}

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
function readIsAuthority(value: Bytes | undefined): boolean {
  if (!value) return false;
  const members = new DerSequence(readDer(value, derTag.sequence));
  const isAuthority = (members.optional(derTag.boolean)?.content[0] ?? 0) !== 0;
  const pathLength = members.optional(derTag.integer);
  if (pathLength) derNumber(pathLength); // chains have one intermediate at most, which any length allows but 0 above it
  members.end();
  return isAuthority;
}
