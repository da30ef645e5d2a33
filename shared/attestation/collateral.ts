/** What Intel says of platforms (PCS API v4), as quote verifiers take it. Strings are PEM chains, JSON texts and hex. */
import { z } from "zod";

/** Of one member. A CRL of processors has some 7 kB. */
export const maxCollateralBytes = 1024 * 1024;
const text = z.string().max(maxCollateralBytes);
const hex = text.regex(/^(?:[0-9a-fA-F]{2})*$/);

export const collateralSchema = z.object({
  pck_crl_issuer_chain: text,
  /** DER, hex. */
  root_ca_crl: hex,
  /** DER, hex. */
  pck_crl: hex,
  tcb_info_issuer_chain: text,
  /** The exact text that was signed. */
  tcb_info: text,
  tcb_info_signature: hex,
  qe_identity_issuer_chain: text,
  qe_identity: text,
  qe_identity_signature: hex,
  /** Where it is given it stands for the chain in the quote; ours never has it. */
  pck_certificate_chain: text.optional(),
});

export type Collateral = z.infer<typeof collateralSchema>;
