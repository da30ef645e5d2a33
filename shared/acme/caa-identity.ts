import type { CaDescription } from "./ca.ts";

/** RFC 8659 §4.2, an issuer-domain-name in lower case. */
const identityPattern = /^[a-z0-9]+(-+[a-z0-9]+)*(\.[a-z0-9]+(-+[a-z0-9]+)*)*$/;
const maxIdentityLength = 253;

/**
 * By which name CAA records let this CA issue: the first that it gives itself (all of them mean the same CA), else those
 * of `known`, else the host of its directory, since a CA that tells no name most likely looks at no CAA record either.
 */
export function caaIdentitiesOf(
  { directory, caaIdentities }: Pick<CaDescription, "directory" | "caaIdentities">,
  known: readonly string[] = [],
): string[] {
  const own = caaIdentities.filter(isIdentity).slice(0, 1);
  if (own.length > 0) return own;
  return known.length > 0 ? [...known] : [new URL(directory).hostname].filter(isIdentity);
}

function isIdentity(name: string): boolean {
  return name.length <= maxIdentityLength && identityPattern.test(name);
}
