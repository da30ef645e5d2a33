/** This node as `!verify` looks at it, made of the parts that know it. */
import type { TeeState } from "../../attestation/attestation.ts";
import type { NodeProof } from "../../attestation/node-proof.ts";
import type { NameWatchSubject } from "../../health/name-watch.ts";
import type { OwnNode, PublicPlace } from "./look-at-node.ts";

export interface OwnNodeParts {
  readonly tee: TeeState;
  readonly proof: Pick<NodeProof, "trust" | "quoteNow">;
  /** What the watch over the node's name looks at; undefined while there is no name, relay or certificate. */
  readonly subject: () => NameWatchSubject | undefined;
}

export function ownNode({ tee, proof, subject }: OwnNodeParts): OwnNode {
  return {
    tee,
    place: () => placeOf(subject()),
    trust: () => proof.trust(),
    quoteNow: (nonce, signal) => proof.quoteNow(nonce, signal),
  };
}

function placeOf(subject: NameWatchSubject | undefined): PublicPlace | undefined {
  const port = subject?.relays[0]?.port;
  if (!subject || port === undefined || subject.hostnames.length === 0) return undefined;
  const { hostnames, roots } = subject;
  return { hostnames, port, roots: roots.length > 0 ? roots : undefined };
}
