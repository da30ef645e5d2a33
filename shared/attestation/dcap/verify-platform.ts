/** A quote's own signatures, checked without a library: from the pinned root to the last byte that was signed. */
import { parseChain, verifyChain } from "./certificate-chain.ts";
import type { Certificate } from "./certificate.ts";
import { readPlatform, type Platform } from "./pck-certificate.ts";
import { toPem } from "./pem.ts";
import { verifyQuoteSignature } from "./qe-report.ts";
import type { TdxQuote } from "./quote.ts";
import { rejected } from "../rejected.ts";

/** Platform, its CA, root. */
const pckChainLength = 3;

export interface VerifiedPlatform {
  readonly pckChain: readonly Certificate[];
  readonly platform: Platform;
}

/** Throws `evidence-rejected` unless a platform below `root` has signed the quote. */
export async function verifyPlatform(quote: TdxQuote, root: Uint8Array, seconds: number): Promise<VerifiedPlatform> {
  const what = "The quote's certificate chain";
  const chain = parseChain(quote.pckChain.replace(/\0$/, ""), what);
  // Every byte counts: PEM that says the same in other words was changed on the way.
  if (quote.pckChain.replace(/\n?\0?$/, "\n") !== toPem(chain.map(({ der }) => der)))
    throw rejected(`${what} is not written as Intel writes it.`);
  await verifyChain(chain, { root, seconds, length: pckChainLength, what });
  const [pck] = chain;
  if (!pck) throw rejected(`${what} is empty.`);
  const platform = readPlatform(pck);
  await verifyQuoteSignature(quote, pck);
  return { pckChain: chain, platform };
}
