import { X509Crl } from "@peculiar/x509";
import { z } from "zod";
import type { Collateral } from "../../../shared/attestation/collateral.ts";

const datedSchema = z.object({ nextUpdate: z.iso.datetime() });

/**
 * Until when all of it stands: the earliest `nextUpdate` of its documents, milliseconds since the Unix epoch. Undefined when
 * one does not say: then it stands for no time at all.
 */
export function validUntilOf(documents: Collateral): number | undefined {
  const dates = [
    signedDate(documents.tcb_info),
    signedDate(documents.qe_identity),
    crlDate(documents.pck_crl),
    crlDate(documents.root_ca_crl),
  ];
  return dates.every((date) => date !== undefined) ? Math.min(...dates) : undefined;
}

function signedDate(text: string): number | undefined {
  try {
    return Date.parse(datedSchema.parse(JSON.parse(text)).nextUpdate);
  } catch {
    return undefined;
  }
}

function crlDate(hex: string): number | undefined {
  try {
    return new X509Crl(Buffer.from(hex, "hex")).nextUpdate?.getTime();
  } catch {
    return undefined;
  }
}
