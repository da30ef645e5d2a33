import { createHash, randomUUID } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createTestCertificate } from "../certificate.ts";
import type { NearTls } from "./near-cloud.ts";

/** A certificate for localhost that this process takes for one of a public authority. */
export async function createTrustedTls(): Promise<NearTls> {
  // Its subject is its own: among several roots of one name OpenSSL may look at the wrong one.
  const { certificate, key, leaf } = await createTestCertificate({ hostnames: [`${randomUUID()}.test`, "localhost"] });
  setDefaultCACertificates([...getCACertificates("default"), certificate]);
  const spki = leaf.publicKey.export({ type: "spki", format: "der" });
  return { key, cert: certificate, fingerprint: createHash("sha256").update(spki).digest("hex") };
}
