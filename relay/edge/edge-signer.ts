import type { Identity } from "../../shared/nodejs/identity-file.ts";

/** As whom a relay asks the edge. */
export function signerOf(identity: Identity) {
  return { id: identity.id, role: "postern-relay", privateKey: identity.signingKey } as const;
}
