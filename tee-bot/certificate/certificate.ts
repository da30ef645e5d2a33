/** The certificate of the public name as it is served and kept. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

export interface Certificate {
  /** PEM chain, leaf first. */
  readonly chain: string;
  readonly leaf: X509Certificate;
}

/** Throws unless every certificate of the chain can be read. */
export function parseCertificate(chain: string): Certificate {
  createSecureContext({ cert: chain });
  return { chain, leaf: new X509Certificate(chain) };
}

/** The one that is kept at `path`; undefined when there is none, or a damaged one, which the next order replaces. */
export function readCertificate(path: string): Certificate | undefined {
  try {
    return parseCertificate(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** The certificates above the leaf, PEM, in the order of the chain. */
export function chainAbove({ chain }: Certificate): string[] {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.slice(1).map((block) => `${block}\n`);
}

export interface Lifetime {
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export function lifetimeOf({ validFromDate, validToDate }: X509Certificate): Lifetime {
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}

/** Who has signed the leaf, as a person knows it: "Let's Encrypt E7". */
export function issuerName({ issuer }: X509Certificate): string {
  const parts = new Map(issuer.split("\n").map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  const [organisation, name] = [parts.get("O"), parts.get("CN")];
  if (organisation === undefined || name === undefined) return name ?? organisation ?? (issuer || "unknown");
  return name.includes(organisation) ? name : `${organisation} ${name}`;
}
