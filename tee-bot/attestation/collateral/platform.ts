import { X509Certificate } from "node:crypto";
import { parseChain } from "../../../shared/attestation/dcap/certificate-chain.ts";
import { readPlatform as readCertificate } from "../../../shared/attestation/dcap/pck-certificate.ts";
import { parseQuote } from "../../../shared/attestation/dcap/quote.ts";
import { rejected } from "../../../shared/attestation/rejected.ts";

/** By what a provisioning service knows the machine that signed a quote. */
export interface Platform {
  /** Family, model, stepping: 6 bytes, hex in upper case as the service has it. */
  readonly fmspc: string;
  /** Which of Intel's CAs has signed for the machine. */
  readonly ca: "processor" | "platform";
}

/** Reads the certificate in the quote, which nobody has verified yet. Throws `evidence-rejected` when there is none. */
export function readPlatform(quote: Uint8Array): Platform {
  const { pckChain } = parseQuote(new Uint8Array(quote));
  const [leaf] = parseChain(pckChain.replace(/\0$/, ""), "The quote's certificate chain");
  if (!leaf) throw rejected("The quote does not hold the certificate of the machine that signed it.");
  const { issuer } = new X509Certificate(leaf.der);
  return {
    fmspc: readCertificate(leaf).fmspc.toUpperCase(),
    ca: /^CN=.*\bPlatform\b/m.test(issuer) ? "platform" : "processor",
  };
}
