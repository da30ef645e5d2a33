/** Evidence in the form of the wire, for tests of what is made of it: everything is made up, and nothing is signed. */
import { evidenceSchema, evidenceVersion, type Evidence } from "../../../../../shared/attestation/evidence.ts";
import { keysetDigest, type Keyset } from "../../../../../shared/attestation/keyset.ts";
import {
  connectionReportData,
  exporterLabel,
  type ConnectionStatement,
} from "../../../../../shared/attestation/report-data.ts";

export const someNode = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
export const bytesOf = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(fill);
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export function someKeyset(changes: Partial<Keyset> = {}): Keyset {
  return {
    receipt_signing_keys: [],
    e2ee_public_keys: [],
    tls_public_keys: [{ domain: "demo.example.net", spki_sha256: hexOf(bytesOf(3)) }],
    not_after: 2_000_000_000,
    subject: "dstack-app://test",
    node_id: someNode,
    ...changes,
  };
}

/** What an honest node shows on this connection. */
export async function evidenceFor(
  statement: Omit<ConnectionStatement, "keysetDigest">,
  keyset: Keyset,
): Promise<{ evidence: Evidence; own: ConnectionStatement; reportData: string }> {
  const own = { ...statement, keysetDigest: await keysetDigest(keyset) };
  const reportData = hexOf(await connectionReportData(own));
  const evidence = evidenceSchema.parse({
    version: evidenceVersion,
    simulated: false,
    node_id: keyset.node_id ?? someNode,
    nonce: hexOf(own.nonce),
    keyset,
    keyset_digest: hexOf(own.keysetDigest),
    connection: {
      spki_sha256: hexOf(own.spkiSha256),
      exporter_label: exporterLabel,
      exporter: hexOf(own.exporter),
    },
    report_data: reportData,
    evidence: { quote: "", event_log: "[]" },
    custody: [],
    caa: [],
    images: [],
  });
  return { evidence, own, reportData };
}
