/** Whether the chain that a CA gave is of use: checked before it replaces a certificate that works. */
import {
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "@peculiar/x509";

export interface ChainWanted {
  /** DER. */
  readonly csr: Uint8Array<ArrayBuffer>;
  readonly hostnames: readonly string[];
  readonly now: number;
}

export type ChainVerdict =
  | { readonly ok: true; readonly notBefore: number; readonly notAfter: number }
  /** What is wrong, to follow "The certificate". */
  | { readonly ok: false; readonly fault: string };

/** Looks at the leaf: its key, its names, its end. Whom to trust is not judged here. */
export function checkChain(pem: string, { csr, hostnames, now }: ChainWanted): ChainVerdict {
  try {
    const [leaf] = PemConverter.decode(pem).map((der) => new X509Certificate(der));
    if (!leaf) return { ok: false, fault: "is missing" };
    const wanted = new Pkcs10CertificateRequest(csr);
    if (!sameBytes(leaf.publicKey.rawData, wanted.publicKey.rawData)) return { ok: false, fault: "is for another key" };
    const items = leaf.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
    const names = new Set(items.filter(({ type }) => type === "dns").map(({ value }) => value.toLowerCase()));
    const missing = hostnames.find((name) => !names.has(name.toLowerCase()));
    if (missing !== undefined) return { ok: false, fault: `does not name ${missing}` };
    const notBefore = leaf.notBefore.getTime();
    const notAfter = leaf.notAfter.getTime();
    return notAfter > now ? { ok: true, notBefore, notAfter } : { ok: false, fault: "has run out already" };
  } catch {
    return { ok: false, fault: "cannot be read" };
  }
}

function sameBytes(one: ArrayBuffer, other: ArrayBuffer): boolean {
  const [left, right] = [new Uint8Array(one), new Uint8Array(other)];
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
