/**
 * The CA of a development machine. Its certificate is constrained to one zone (RFC 5280 §4.2.1.10), so that its key,
 * should it leak, can sign nothing else that a client who trusts it would accept.
 */
import { webcrypto } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { writeFileAtomic } from "../shared/nodejs/files.ts";

export interface LocalCa {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  readonly certificatePath: string;
}

const lifetimeMs = 10 * 365 * 86_400_000;

/** The CA kept in `dir` as root.pem and root.key (mode 0600), made at the first call. */
export async function readOrCreateLocalCa(dir: string, zone: string): Promise<LocalCa> {
  const certificatePath = join(dir, "root.pem");
  const keyPath = join(dir, "root.key");
  if (!statSync(keyPath, { throwIfNoEntry: false }) || !statSync(certificatePath, { throwIfNoEntry: false })) {
    const { certificatePem, keyPem } = await createLocalCa(zone, Date.now());
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileAtomic(keyPath, keyPem, 0o600);
    writeFileAtomic(certificatePath, certificatePem);
  }
  return {
    certificatePem: readFileSync(certificatePath, "utf8"),
    keyPem: readFileSync(keyPath, "utf8"),
    certificatePath,
  };
}

export async function createLocalCa(zone: string, now: number): Promise<{ certificatePem: string; keyPem: string }> {
  const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=Postern development CA for ${zone}`,
    notBefore: new Date(now - 86_400_000),
    notAfter: new Date(now + lifetimeMs),
    keys,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new Extension(id_ce_nameConstraints, true, AsnConvert.serialize(onlyNamesOf(zone))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join("\n")}\n-----END PRIVATE KEY-----\n`,
  };
}

function onlyNamesOf(zone: string): NameConstraints {
  const subtrees = (...names: GeneralName[]): GeneralSubtrees =>
    new GeneralSubtrees(names.map((base) => new GeneralSubtree({ base })));
  return new NameConstraints({
    permittedSubtrees: subtrees(new GeneralName({ dNSName: zone })),
    // A permitted name of one kind says nothing of the other kinds.
    excludedSubtrees: subtrees(new GeneralName({ iPAddress: "0.0.0.0/0" }), new GeneralName({ iPAddress: "::/0" })),
  });
}
