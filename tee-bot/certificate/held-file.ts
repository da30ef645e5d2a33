/** What belongs to the certificate held besides itself: where it came from and when it is to be renewed. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { renewalPlanSchema } from "../../shared/registry/messages.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { Certificate } from "./certificate.ts";
import type { HeldCertificate } from "./certificate-source.ts";

const heldSchema = z.object({
  version: z.literal(1),
  /** SHA-256 of the leaf: a note about another certificate counts for nothing. */
  fingerprint: z.string(),
  directory: z.string().optional(),
  renewal: renewalPlanSchema.optional(),
});

export function readHeld(path: string, certificate: Certificate): HeldCertificate {
  try {
    const held = heldSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (held.fingerprint === certificate.leaf.fingerprint256)
      return { certificate, directory: held.directory, renewal: held.renewal };
  } catch {
    // nothing was noted: the plan is asked for again
  }
  return { certificate, directory: undefined, renewal: undefined };
}

export function writeHeld(path: string, { certificate, directory, renewal }: HeldCertificate): void {
  writeFileAtomic(
    path,
    JSON.stringify({ version: 1, fingerprint: certificate.leaf.fingerprint256, directory, renewal }),
  );
}
