/** The keys and certificates of one simulated root of trust: who has them can make quotes under it. */
import { randomBytes, type KeyObject } from "node:crypto";
import { generateKey, issueCertificate, publicKeyOf, type CertificateRequest, type Holder } from "./authority.ts";
import { pckExtension } from "./pck-extension.ts";
import { cpuSvn, fmspc, pceId, pceSvn } from "./platform.ts";

export interface PkiMaterial {
  readonly root: Holder;
  /** Issues certificates of platforms with several processors; the simulated one has its own from here. */
  readonly platformCa: Holder;
  /** Issues those of single processors: none, but it has a revocation list that can be taken for the other one. */
  readonly processorCa: Holder;
  readonly tcbSigning: Holder;
  /** Of the platform; signs reports of its quoting enclave. */
  readonly pck: Holder;
  /** Of the quoting enclave; signs quotes. */
  readonly attestationKey: KeyObject;
}

const organization = "O=SIMULATOR NOT INTEL, L=Nowhere, C=XX";
const dayMs = 86_400_000;
const backdatedMs = 366 * dayMs;
const rootLifetimeMs = 20 * 365 * dayMs;
const lifetimeMs = 10 * 365 * dayMs;
const identifierBytes = 16;

export async function createMaterial(now: number): Promise<PkiMaterial> {
  const root = await createRoot(now);
  const below = async (
    issuer: Holder,
    { name, ...more }: Pick<CertificateRequest, "pathLength" | "extensions"> & { name: string },
  ): Promise<Holder> => {
    const key = generateKey();
    const request = {
      ...more,
      name: `CN=SIMULATOR NOT INTEL ${name}, ${organization}`,
      publicKey: publicKeyOf(key),
      notBefore: now - backdatedMs,
      notAfter: now + lifetimeMs,
    };
    return { key, certificate: await issueCertificate(request, issuer) };
  };
  const platformCa = await below(root, { name: "PCK Platform CA", pathLength: 0 });
  const platform = { cpuSvn, pceSvn, pceId, fmspc };
  const extension = pckExtension({
    ...platform,
    ppid: randomBytes(identifierBytes),
    platformInstanceId: randomBytes(identifierBytes),
  });
  return {
    root,
    platformCa,
    processorCa: await below(root, { name: "PCK Processor CA", pathLength: 0 }),
    tcbSigning: await below(root, { name: "TCB Signing" }),
    pck: await below(platformCa, { name: "PCK Certificate", extensions: [extension] }),
    attestationKey: generateKey(),
  };
}

async function createRoot(now: number): Promise<Holder> {
  const key = generateKey();
  const request = {
    name: `CN=SIMULATOR NOT INTEL Root, ${organization}`,
    publicKey: publicKeyOf(key),
    pathLength: 1,
    notBefore: now - backdatedMs,
    notAfter: now + rootLifetimeMs,
  };
  return { key, certificate: await issueCertificate(request, { selfSigned: key }) };
}
