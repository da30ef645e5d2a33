/**
 * What a node may ask a certificate for: a PKCS #10 request (RFC 2986) signed by the key it is for, naming nothing
 * but host names the node owns. Issuers rely on it and take only the key and the names; whatever else the request
 * asks for is not copied.
 */
import {
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  type PublicKey,
} from "@peculiar/x509";
import { AppError } from "../../shared/errors.ts";

export interface CheckedCsr {
  readonly der: Uint8Array<ArrayBuffer>;
  /** The key it is for: DER, SubjectPublicKeyInfo. */
  readonly spki: Uint8Array<ArrayBuffer>;
  readonly hostnames: readonly string[];
}

const maxDerBytes = 8 * 1024; // RSA 4096 with a handful of names has 2 KB
const hashes = new Set(["SHA-256", "SHA-384", "SHA-512"]);
const oids = { subjectAlternativeName: "2.5.29.17", commonName: "2.5.4.3" };

/** The request behind the PEM text when all of it is acceptable; else throws `csr-rejected` with the reason. */
export async function readCsr(pem: string, owned: readonly string[]): Promise<CheckedCsr> {
  const der = derOf(pem);
  try {
    const csr = new Pkcs10CertificateRequest(der);
    checkKey(csr.publicKey);
    const hostnames = readNames(csr);
    checkSubject(csr, hostnames);
    for (const name of hostnames) if (!owned.includes(name)) refuse(`${printable(name)} is not a name of this node.`);
    await checkPossession(csr);
    return { der, spki: new Uint8Array(csr.publicKey.rawData), hostnames };
  } catch (error) {
    if (error instanceof AppError) throw error;
    // The parser reads each part when it is asked for, and throws what it likes.
    return refuse("This is no PKCS #10 request, or it has a part that cannot be read.", error);
  }
}

function refuse(detail: string, cause?: unknown): never {
  throw new AppError("csr-rejected", detail, { cause });
}

/** Names come from outside: shown in a message only as far as they are plain. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

function derOf(pem: string): Uint8Array<ArrayBuffer> {
  const block =
    /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END (NEW )?CERTIFICATE REQUEST-----\s*$/;
  if (!block.test(pem)) refuse("Send one PEM block, CERTIFICATE REQUEST.");
  const der = decodePem(pem);
  if (der.byteLength === 0) refuse("The PEM block is empty.");
  if (der.byteLength > maxDerBytes) refuse(`A request has at most ${maxDerBytes} bytes.`);
  const bytes = new Uint8Array(der);
  if (!isOneSequence(bytes)) refuse("The PEM block is not one DER sequence.");
  return bytes;
}

function decodePem(pem: string): ArrayBuffer {
  try {
    return PemConverter.decode(pem)[0] ?? new ArrayBuffer(0);
  } catch (error) {
    return refuse("The PEM block is not base64.", error);
  }
}

/** X.690 §8.1: tag, length, content. The parser would take another tag, and bytes after the content. */
function isOneSequence(der: Uint8Array): boolean {
  const [tag, first = 0] = der;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length =
    lengthBytes === 0 ? first : der.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  return tag === 0x30 && lengthBytes <= 2 && 2 + lengthBytes + length === der.length;
}

interface KeyAlgorithmFields {
  name?: string;
  namedCurve?: string;
  modulusLength?: number;
  publicExponent?: Uint8Array;
}

function checkKey({ algorithm }: PublicKey): void {
  const { name, namedCurve, modulusLength, publicExponent } = algorithm as KeyAlgorithmFields;
  if (name === "ECDSA" && (namedCurve === "P-256" || namedCurve === "P-384")) return;
  if (name?.startsWith("RSA") && modulusLength !== undefined && publicExponent) {
    if (modulusLength < 2048 || modulusLength > 4096) refuse("An RSA key has 2048 to 4096 bits.");
    if (Array.from(publicExponent).join() !== "1,0,1") refuse("An RSA key has the exponent 65537.");
    return;
  }
  refuse("The key has to be ECDSA P-256 or P-384, or RSA.");
}

function readNames(csr: Pkcs10CertificateRequest): string[] {
  const extensions = csr.extensions.filter(({ type }) => type === oids.subjectAlternativeName);
  if (extensions.length > 1) refuse("The request has several subjectAltName extensions.");
  const names = extensions.flatMap(({ rawData }) => new SubjectAlternativeNameExtension(rawData).names.items);
  if (names.length === 0) refuse("Name at least one host in subjectAltName.");
  if (names.some(({ type }) => type !== "dns")) refuse("subjectAltName may hold DNS names only.");
  const hostnames = names.map(({ value }) => value);
  if (new Set(hostnames).size !== hostnames.length) refuse("A name stands twice in subjectAltName.");
  return hostnames;
}

/** Empty, or one of the names as the common name: nothing else could be vouched for. */
function checkSubject(csr: Pkcs10CertificateRequest, hostnames: readonly string[]): void {
  const attributes = csr.subjectName.toJSON();
  if (attributes.length === 0) return;
  const commonNames = csr.subjectName.getField(oids.commonName);
  const only = attributes.length === 1 && Object.keys(attributes[0] ?? {}).length === 1 && commonNames.length === 1;
  if (!only || !hostnames.includes(commonNames[0] ?? ""))
    refuse("The subject has to be empty, or a common name that subjectAltName holds too.");
}

async function checkPossession(csr: Pkcs10CertificateRequest): Promise<void> {
  if (!hashes.has(csr.signatureAlgorithm.hash?.name))
    refuse("The request has to be signed with SHA-256, SHA-384 or SHA-512.");
  const proven = await csr
    .verify()
    .catch((error: unknown) => refuse("The request's signature cannot be checked.", error));
  if (!proven) refuse("The request is not signed by the key it is for.");
}
