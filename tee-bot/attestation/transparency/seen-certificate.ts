/** What a log's entry says: for which names a certificate is, and above all for which key. */
import { createHash } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Certificate,
  GeneralNames,
  id_ce_subjectAltName,
  TBSCertificate,
  type SubjectPublicKeyInfo,
} from "@peculiar/asn1-x509";
import { Name } from "@peculiar/x509";
import type { LogEntry } from "./log/certificate-log.ts";

export interface SeenCertificate {
  /** Of the subject alternative name, as they stand there. */
  readonly names: readonly string[];
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly spkiSha256: string;
  readonly issuer: string;
  /** Hex. With the issuer it tells a certificate, and its precertificate, from all others. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Undefined when it is no certificate as RFC 5280 has them. */
export function readSeenCertificate({ kind, der }: Pick<LogEntry, "kind" | "der">): SeenCertificate | undefined {
  try {
    const tbs =
      kind === "precertificate"
        ? AsnConvert.parse(der, TBSCertificate)
        : AsnConvert.parse(der, Certificate).tbsCertificate;
    return {
      names: namesOf(tbs),
      spkiSha256: digestOf(tbs.subjectPublicKeyInfo),
      issuer: new Name(tbs.issuer).toString(),
      serial: Buffer.from(tbs.serialNumber)
        .toString("hex")
        .replace(/^00(?=.)/, ""),
      notBefore: tbs.validity.notBefore.getTime().getTime(),
      notAfter: tbs.validity.notAfter.getTime().getTime(),
    };
  } catch {
    return undefined;
  }
}

function namesOf({ extensions }: TBSCertificate): string[] {
  const extension = [...(extensions ?? [])].find(({ extnID }) => extnID === id_ce_subjectAltName);
  if (!extension) return [];
  return AsnConvert.parse(extension.extnValue, GeneralNames).flatMap(({ dNSName }) => dNSName ?? []);
}

function digestOf(spki: SubjectPublicKeyInfo): string {
  return createHash("sha256")
    .update(Buffer.from(AsnConvert.serialize(spki)))
    .digest("hex");
}
