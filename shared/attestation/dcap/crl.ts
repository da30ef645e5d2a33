/**
 * Certificate revocation lists (RFC 5280 §5.1) of Intel's profile. The signature is looked at before the entries, so that
 * only who is trusted can make a list long.
 *
 *   TBSCertList ::= SEQUENCE { version INTEGER, signature, issuer, thisUpdate, nextUpdate,
 *                              revokedCertificates SEQUENCE OF { serial, date, … }, [0] extensions }
 */
import { toHex } from "../../hex.ts";
import { expectAlgorithm, isSignedBy, parseSigned, readExtensions, type Certificate } from "./certificate.ts";
import { derChildren, DerSequence, derTag, derTime, type DerElement } from "./der.ts";
import { rejected } from "../rejected.ts";

export interface Crl {
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers, hex. */
  readonly revoked: ReadonlySet<string>;
}

export interface CrlRules {
  readonly issuer: Certificate;
  readonly seconds: number;
  readonly what: string;
}

/** Throws unless `issuer` has signed the list and it is current. */
export async function verifyCrl(der: Uint8Array<ArrayBuffer>, { issuer, seconds, what }: CrlRules): Promise<Crl> {
  const { tbs, signed, signature } = parseSigned(der);
  tbs.take(derTag.integer); // version: 2
  expectAlgorithm(tbs.take(derTag.sequence));
  if (toHex(tbs.take(derTag.sequence).whole) !== issuer.subject) throw rejected(`${what} is by another issuer.`);
  if (!issuer.maySignCrls || !(await isSignedBy({ signed, signature }, issuer.publicKey)))
    throw rejected(`${what} is not signed by its issuer.`);
  const thisUpdate = derTime(tbs.any());
  const nextUpdate = derTime(tbs.any());
  if (seconds < thisUpdate) throw rejected(`${what} is from the future.`);
  if (seconds > nextUpdate) throw rejected(`${what} has run out.`);
  const list = tbs.optional(derTag.sequence);
  const revoked = new Set<string>();
  for (const entry of list ? derChildren(list) : []) revoked.add(readSerial(entry));
  const extensions = tbs.optional(derTag.context(0));
  if (extensions) readExtensions(extensions, noneKnown); // a list for some certificates only says so critically
  tbs.end();
  return { thisUpdate, nextUpdate, revoked };
}

const noneKnown: ReadonlySet<string> = new Set();

function readSerial(entry: DerElement): string {
  return toHex(new DerSequence(entry).take(derTag.integer).content);
}
