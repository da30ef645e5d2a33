/** The forms of the PCS API v4. What has another form is refused: no part of it is guessed. */
import { X509Certificate } from "node:crypto";
import { AppError } from "../../../shared/errors.ts";
import type { PcsAnswer } from "./fetch-collateral.ts";

const maxChainCharacters = 32 * 1024;
/** Signer, and the root above. */
const maxChainCertificates = 3;
const pemCertificate = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----(?:\r?\n)*/y;

/** PEM of the first of these headers that is there; on the wire it is escaped as in a URL. */
export function readIssuerChain(answer: PcsAnswer, names: readonly string[]): string {
  const escaped = names.map((name) => answer.headers.get(name)).find((value) => value !== null);
  if (escaped === undefined || escaped === null) throw malformed(answer, `no header ${names[0]}`);
  const chain = unescape(escaped);
  if (chain === undefined || chain.length > maxChainCharacters || !isChain(chain))
    throw malformed(answer, `no certificates in its header ${names[0]}`);
  return chain;
}

/** DER as hex. Intel answers with DER, a PCCS for the root's list with the hex of it. */
export function readCrl(answer: PcsAnswer): string {
  const bytes = Buffer.from(answer.body);
  const text = bytes.toString("latin1").trim();
  const hex = /^(?:[0-9a-fA-F]{2})+$/.test(text) ? text.toLowerCase() : bytes.toString("hex");
  if (!hex.startsWith("30")) throw malformed(answer, "no revocation list"); // every one is a SEQUENCE
  return hex;
}

export interface SignedDocument {
  /** The exact text that was signed: to parse and format it again might change a byte. */
  readonly text: string;
  /** Hex. */
  readonly signature: string;
}

/** `{"<member>":{…},"signature":"<hex>"}`, and nothing else in it. */
export function readSignedDocument(answer: PcsAnswer, member: "tcbInfo" | "enclaveIdentity"): SignedDocument {
  const whole = Buffer.from(answer.body).toString("utf8");
  const form = new RegExp(
    `^\\s*\\{\\s*"${member}"\\s*:\\s*(\\{[^]*\\})\\s*,\\s*"signature"\\s*:\\s*"([0-9a-fA-F]{128})"\\s*\\}\\s*$`,
  );
  const [, text, signature] = form.exec(whole) ?? [];
  // What stands between is one value, or there would be further members in it.
  if (text === undefined || signature === undefined || !isJson(text)) throw malformed(answer, `no signed ${member}`);
  return { text, signature: signature.toLowerCase() };
}

function malformed({ url }: PcsAnswer, what: string): AppError {
  return new AppError("upstream-unavailable", `${url} answered with ${what}: this is not the PCS API v4.`);
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isChain(text: string): boolean {
  const certificates: string[] = [];
  pemCertificate.lastIndex = 0;
  for (let found = pemCertificate.exec(text); found; found = pemCertificate.exec(text)) {
    certificates.push(found[0]);
    if (pemCertificate.lastIndex === text.length)
      return certificates.length <= maxChainCertificates && certificates.every(isCertificate);
  }
  return false;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject.length > 0;
  } catch {
    return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
