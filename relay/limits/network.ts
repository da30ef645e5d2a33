const groups = 8;
const networkGroups = 4; // a /64, the least that one holder of IPv6 addresses has

/** Whom an address counts for: itself when IPv4, its /64 when IPv6. Takes what a socket reports. */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: groups - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].slice(0, networkGroups).join(":");
}
