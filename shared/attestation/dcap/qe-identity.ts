/** What Intel says of its quoting enclave for TDX (PCS API v4, `/tdx/certification/v4/qe/identity`). */
import { z } from "zod";
import { isoTimeSchema, levelsSchema, svnSchema } from "./tcb.ts";
import { parseSignedJson } from "./tcb-info.ts";

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`));

const qeIdentitySchema = z.object({
  id: z.literal("TD_QE"),
  version: z.literal(2),
  issueDate: isoTimeSchema,
  nextUpdate: isoTimeSchema,
  miscselect: hex(4),
  miscselectMask: hex(4),
  attributes: hex(16),
  attributesMask: hex(16),
  mrsigner: hex(32).transform((text) => text.toLowerCase()),
  isvprodid: svnSchema,
  tcbLevels: levelsSchema(z.object({ isvsvn: svnSchema })),
});

export type QeIdentity = z.infer<typeof qeIdentitySchema>;

export function parseQeIdentity(text: string): QeIdentity {
  return parseSignedJson(text, qeIdentitySchema, "QE identity");
}
