import type { Issuer } from "../../shared/registry/messages.ts";
import { chainAbove, type Certificate } from "./certificate.ts";

/** Whom a check of our own name believes. */
export interface Trust {
  /** PEM; the system's own when empty. */
  readonly roots: readonly string[];
  /** Whether a chain may end in one of these without reaching a root. */
  readonly partial: boolean;
}

/**
 * The roots that the edge names, or else those of the system. A private CA whose root nobody has told us is known by
 * what it sent along with the certificate: that the served chain is this one is then all that can be checked.
 */
export function decideTrust({ trust, roots }: Pick<Issuer, "trust" | "roots">, certificate: Certificate): Trust {
  if (roots.length > 0 || trust === "public") return { roots, partial: false };
  const above = chainAbove(certificate);
  return { roots: above.length > 0 ? above : [certificate.chain], partial: true };
}
