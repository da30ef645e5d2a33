/** Attested Confidential Inference (`aci/1`): how a quote binds a keyset and a caller's nonce. Spec §3.2. */

export const aciVersion = "aci/1";
export const aciPath = "/v1/aci/attestation";
/** A nonce of ours and of theirs on the wire: 32 bytes, and only one way to write them. */
export const noncePattern = /^[0-9a-f]{64}$/;

/** The exact text that is hashed. `keysetDigest` and `nonce` are 64 hex characters; no nonce proves no freshness. */
export function aciStatement(keysetDigest: string, nonce: string | undefined): string {
  for (const hex of [keysetDigest, nonce ?? keysetDigest])
    if (!noncePattern.test(hex)) throw new RangeError("An ACI statement is made of 64 lower-case hex characters.");
  const quoted = nonce === undefined ? "null" : `"${nonce}"`;
  return `{"keyset_digest":"sha256:${keysetDigest}","nonce":${quoted},"purpose":"aci.report_data.v1"}`;
}

/** The 64 bytes that the quote carries: the statement's SHA-256, then zeros. */
export async function aciReportData(keysetDigest: string, nonce: string | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const reportData = new Uint8Array(64);
  const statement = new TextEncoder().encode(aciStatement(keysetDigest, nonce));
  reportData.set(new Uint8Array(await crypto.subtle.digest("SHA-256", statement)));
  return reportData;
}
