/** ACME Renewal Information (RFC 9773). */
import { AuthorityKeyIdentifierExtension, X509Certificate } from "@peculiar/x509";
import { z } from "zod";
import type { RenewalInfo } from "./ca.ts";

/**
 * The name of a certificate under ARI (§4.1): its issuer's key id, a dot, its serial number. Takes the leaf as DER, or
 * PEM with the leaf first; undefined when there is no such certificate, or it does not name its issuer's key.
 */
export function certificateIdOf(certificate: string | Uint8Array<ArrayBuffer>): string | undefined {
  try {
    const leaf = new X509Certificate(certificate);
    const keyId = leaf.getExtension(AuthorityKeyIdentifierExtension)?.keyId;
    return keyId && `${base64UrlOfHex(keyId)}.${base64UrlOfHex(derIntegerOfHex(leaf.serialNumber))}`;
  } catch {
    return undefined;
  }
}

/** @peculiar/x509 leaves out the zero byte by which DER keeps a number positive; the name has it (§4.1). */
function derIntegerOfHex(hex: string): string {
  return Number.parseInt(hex.slice(0, 2), 16) > 0x7f ? `00${hex}` : hex;
}

/** Bounds of the answer's Retry-After (§4.3): a CA that forgets it, or says never, is asked all the same. */
const askAgainMs = { least: 3_600_000, most: 24 * 3_600_000, usual: 6 * 3_600_000 };

const timestamp = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const renewalInfoSchema = z
  .object({
    suggestedWindow: z.object({ start: timestamp, end: timestamp }),
    // For people; one that cannot be shown is as good as none.
    explanationURL: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional()
      .catch(undefined),
  })
  .refine(({ suggestedWindow: { start, end } }) => start < end, "§4.2: the window has to end after it begins");

/** The body of a renewalInfo answer (§4.2) with its Retry-After; undefined when it makes no sense. */
export function parseRenewalInfo(body: unknown, retryAfterMs: number | undefined): RenewalInfo | undefined {
  const parsed = renewalInfoSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { suggestedWindow, explanationURL } = parsed.data;
  return {
    from: suggestedWindow.start,
    to: suggestedWindow.end,
    ...(explanationURL !== undefined && { explanationUrl: explanationURL }),
    retryAfterMs: Math.min(askAgainMs.most, Math.max(askAgainMs.least, retryAfterMs ?? askAgainMs.usual)),
  };
}

function base64UrlOfHex(hex: string): string {
  const bytes = (hex.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
