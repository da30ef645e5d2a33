export const maxServerNameBytes = 253; // RFC 1035 §2.3.4, written without the final dot

const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"; // RFC 1123 §2.1: letters, digits, inner hyphens, at most 63
const hostName = new RegExp(`^(?:${label}\\.)*${label}$`);
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/; // an IPv4 address in one of its spellings, never a host name

/**
 * The host name of an SNI entry in lower case, or undefined when it is none. RFC 6066 §3: ASCII (A-labels for other
 * scripts), without a trailing dot, and no literal IPv4 or IPv6 address.
 */
export function parseServerName(text: string): string | undefined {
  if (text.length > maxServerNameBytes) return undefined;
  const name = text.toLowerCase();
  return hostName.test(name) && !endsInNumber.test(name) ? name : undefined;
}
