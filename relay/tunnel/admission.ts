/** What to do with a node that says which epoch it has, and with a tunnel when the known epoch changes. */
import type { Goaway } from "../../shared/tunnel/control.ts";

export type Admission = { admit: true } | { admit: false; goaway: Goaway };

export interface AdmissionFacts {
  /** What the node said. */
  epoch: number;
  /** The newest epoch known of it; undefined when it has no route. */
  known: number | undefined;
  /** Whether the edge has answered a lookup for this node just now. */
  asked: boolean;
  tunnels: number;
  maxTunnels: number;
}

/** `ask`: only the edge can tell; look the node up there and decide again. */
export function decideAdmission({ epoch, known, asked, tunnels, maxTunnels }: AdmissionFacts): Admission | "ask" {
  if (known !== undefined && epoch < known)
    return refuse("superseded", `Epoch ${known} of this node was registered after epoch ${epoch}.`);
  if (epoch !== known && !asked) return "ask";
  if (known === undefined) return refuse("unknown-node", "The edge has no route for this node; register it first.");
  if (epoch > known) return refuse("not-admitted", `The edge knows epoch ${known} of this node, not yet ${epoch}.`);
  if (tunnels >= maxTunnels)
    return refuse("not-admitted", `This node has ${tunnels} tunnels here, as many as it may have.`);
  return { admit: true };
}

/** Why a tunnel may not go on, or undefined when it may. */
export function decideRetirement(epoch: number, known: number | undefined): Goaway | undefined {
  if (known === undefined) return { reason: "unknown-node", detail: "The names of this node were withdrawn." };
  if (epoch < known) return { reason: "superseded", detail: `Epoch ${known} of this node was registered.` };
  return undefined;
}

function refuse(reason: Goaway["reason"], detail: string): Admission {
  return { admit: false, goaway: { reason, detail } };
}
