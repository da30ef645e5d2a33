/** Keeps a simulated root of trust in a directory, so that the simulator has the same root after each start. */
import { createPrivateKey } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../../../shared/nodejs/files.ts";
import { holderSchema, holderToJson, pemOf, readKeys } from "./holder-json.ts";
import { createMaterial, type PkiMaterial } from "./material.ts";

const fileName = "pki.json";
export const rootFileName = "root.pem";

const fileSchema = z.object({
  version: z.literal(1),
  root: holderSchema,
  platformCa: holderSchema,
  processorCa: holderSchema,
  tcbSigning: holderSchema,
  pck: holderSchema,
  attestationKey: z.string().transform((pem) => createPrivateKey(pem)),
});

/** Reads the keys, or makes them at the first start; the root's certificate is put beside them for verifiers. */
export async function readOrCreateMaterial(directory: string, now: number): Promise<PkiMaterial> {
  const path = join(directory, fileName);
  const existing = readKeys(path, fileSchema);
  if (existing) return existing;
  const material = await createMaterial(now);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileAtomic(join(directory, rootFileName), `${material.root.certificate.toString("pem")}\n`);
  writeFileAtomic(path, JSON.stringify(toFile(material)), 0o600);
  return material;
}

function toFile({ root, platformCa, processorCa, tcbSigning, pck, attestationKey }: PkiMaterial) {
  return {
    version: 1,
    root: holderToJson(root),
    platformCa: holderToJson(platformCa),
    processorCa: holderToJson(processorCa),
    tcbSigning: holderToJson(tcbSigning),
    pck: holderToJson(pck),
    attestationKey: pemOf(attestationKey),
  } satisfies z.input<typeof fileSchema>;
}
