/** Which certificates are of interest: those for one of the watched names, and wildcards that cover one. */

/** Whether a certificate for `pattern` is good for `name` (RFC 6125 §6.4.3: a star stands for the leftmost label). */
export function covers(pattern: string, name: string): boolean {
  const plain = normaliseName(pattern);
  return plain === name || (plain.startsWith("*.") && plain.slice(1) === name.slice(Math.max(0, name.indexOf("."))));
}

/** Lower case, without the dot at the end. */
export function normaliseName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/**
 * Whether the bytes of a certificate name one of `names` at all. DNS names stand in DER as they are (IA5String), so
 * this finds every certificate for them at a hundredth of the cost of reading each; some that it finds are for others.
 */
export function createMentionFilter(names: readonly string[]): (der: Uint8Array) => boolean {
  const needles = [...new Set(names.flatMap((name) => [name, `*${name.slice(Math.max(0, name.indexOf(".")))}`]))];
  return (der) => {
    const text = Buffer.from(der.buffer, der.byteOffset, der.length).toString("latin1").toLowerCase();
    return needles.some((needle) => text.includes(needle));
  };
}

const maxNameLength = 253;
const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const hostname = new RegExp(`^(?:${label}\\.)+${label}$`);

/** Whether it is the name of a host, with a dot in it, as certificates have them; no address. */
export function isHostname(name: string): boolean {
  return name.length <= maxNameLength && hostname.test(name) && /[a-z]/.test(name.slice(name.lastIndexOf(".")));
}
