import { X509Certificate } from "node:crypto";
import { Quote, utils } from "@phala/dcap-qvl";
import { AppError } from "../../../shared/errors.ts";

/** By what a provisioning service knows the machine that signed a quote. */
export interface Platform {
  /** Family, model, stepping: 6 bytes, hex in upper case as the service has it. */
  readonly fmspc: string;
  /** Which of Intel's CAs has signed for the machine. */
  readonly ca: "processor" | "platform";
}

const fmspcBytes = 6;
/** A quote has 5 kB. */
const maxQuoteBytes = 64 * 1024;

/** Reads the certificate in the quote, which nobody has verified yet. Throws `evidence-rejected` when there is none. */
export function readPlatform(quote: Uint8Array): Platform {
  if (quote.length > maxQuoteBytes)
    throw new AppError("evidence-rejected", `The quote has more than ${maxQuoteBytes} bytes.`);
  let leaf: Buffer | undefined;
  let fmspc: Uint8Array;
  let issuer: string;
  try {
    [leaf] = utils.extractCerts(Buffer.from(Quote.parse(quote).rawCertChain()));
    fmspc = utils.getFmspc(utils.getIntelExtension(leaf!));
    issuer = new X509Certificate(leaf!).issuer;
  } catch (error) {
    throw new AppError("evidence-rejected", "The quote does not hold the certificate of the machine that signed it.", {
      cause: error,
    });
  }
  if (fmspc.length !== fmspcBytes)
    throw new AppError("evidence-rejected", "The certificate in the quote does not name its machine's family.");
  return {
    fmspc: Buffer.from(fmspc).toString("hex").toUpperCase(),
    ca: /^CN=.*\bPlatform\b/m.test(issuer) ? "platform" : "processor",
  };
}
