/** To which addresses visitors of a name come when they go through one relay. Rules only. */
import { isIP } from "node:net";
import { foreignAddress, noAddress, type Finding } from "./reasons.ts";

/** A relay as visitors reach it. */
export interface Door {
  readonly relay: string;
  readonly port: number;
  /** In one spelling each; empty where they are not known. */
  readonly addresses: readonly string[];
}

/** `undefined`: DNS leads nobody through this relay, so there is nothing to be found. */
export type Targets = { readonly addresses: readonly string[]; readonly otherwise?: Finding } | undefined;

/**
 * `named`: what DNS answers for the name; undefined where DNS has no say. An address that is no relay's may be that of a
 * load balancer before them: it counts when the right key answers there, and `otherwise` is what to say when not.
 */
export function decideTargets(named: readonly string[] | undefined, through: Door, fleet: readonly Door[]): Targets {
  if (named === undefined) return through.addresses.length > 0 ? { addresses: through.addresses } : undefined;
  if (named.length === 0) return { addresses: [], otherwise: noAddress };
  const own = named.filter((address) => through.addresses.includes(address));
  if (own.length > 0) return { addresses: own };
  const known = new Set(fleet.flatMap(({ addresses }) => addresses));
  const foreign = named.filter((address) => !known.has(address));
  const [first] = foreign;
  if (first === undefined) return undefined;
  // A relay whose addresses nobody has told may well be the one behind it.
  return through.addresses.length === 0
    ? { addresses: foreign }
    : { addresses: foreign, otherwise: foreignAddress(first) };
}

/** Below `.localhost` there is no DNS (RFC 6761 §6.3). */
export function isLocalName(name: string): boolean {
  return name.endsWith(".localhost");
}

/** One spelling for each address, so that they can be compared (RFC 5952). */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
