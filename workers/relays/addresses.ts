/** The addresses under which visitors reach relays, in the one spelling that DNS providers answer with. */
import { addressSchema, type RelayStatusReport } from "../../shared/registry/messages.ts";

/** Of all the relays together: sorted, none twice. */
export function visitorAddressesOf(reports: readonly Pick<RelayStatusReport, "host" | "addresses">[]): string[] {
  const all = reports.flatMap(({ host, addresses }) => addresses ?? (isAddress(host) ? [host] : []));
  return [...new Set(all.map(canonicalAddress))].toSorted();
}

/** RFC 5952 for IPv6: lower case, the longest run of zeros left out. */
export function canonicalAddress(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function isAddress(host: string): boolean {
  return addressSchema.safeParse(host).success;
}
