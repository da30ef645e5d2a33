/**
 * The rules of registrations and leases. Each start of a node raises its epoch, and the newest epoch of a key is
 * the only one that counts: an older process that still runs is told so and can never take the name back.
 */
import { fail, succeed, type Result } from "../../shared/errors.ts";
import type { Place } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/**
 * `up`: its names lead to it. `lapsed`: not heard of for too long; a renewal brings it back. `released`: it has
 * said goodbye; only a new registration brings it back.
 */
export type NodeState = "up" | "lapsed" | "released";

export interface NodeRecord {
  readonly node: NodeId;
  readonly epoch: number;
  /** Raised by whatever changes what hubs should know. */
  readonly revision: number;
  readonly state: NodeState;
  /** End of the lease (ms since the Unix epoch). */
  readonly expiresAt: number;
  readonly place: Place | undefined;
}

/** A renewal is due after a third of the lease, so that two may be lost. */
export const renewalsPerLease = 3;

export function decideRegistration(
  held: NodeRecord | undefined,
  { node, place }: { node: NodeId; place: Place | undefined },
  { now, leaseMs }: { now: number; leaseMs: number },
): NodeRecord {
  return {
    node,
    epoch: (held?.epoch ?? 0) + 1,
    revision: (held?.revision ?? 0) + 1,
    state: "up",
    expiresAt: now + leaseMs,
    place,
  };
}

/** The record after a renewal by `epoch`; its revision is raised when routes come back. */
export function decideRenewal(
  held: NodeRecord | undefined,
  epoch: number,
  { now, leaseMs }: { now: number; leaseMs: number },
): Result<NodeRecord> {
  const current = decideCurrent(held, epoch);
  if (!current.ok) return current;
  const { state, revision } = current.value;
  if (state === "released") return fail("not-registered", "The node has released its names; register again.");
  return succeed({
    ...current.value,
    state: "up",
    revision: state === "up" ? revision : revision + 1,
    expiresAt: now + leaseMs,
  });
}

export function decideRelease(held: NodeRecord | undefined, epoch: number): Result<NodeRecord> {
  const current = decideCurrent(held, epoch);
  if (!current.ok || current.value.state === "released") return current;
  return succeed({ ...current.value, state: "released", revision: current.value.revision + 1 });
}

/** A lease is looked at when it ends; when that is so much later, the edge was away, and no node could renew. */
const lateMs = 3_000;
/** From then on it goes on for so long: a node tries every ten seconds at least, and a request takes its time. */
export const lateGraceMs = 20_000;

/** The record once the lease has run out, or with the grace that it gets; undefined while it has not. */
export function decideLapse(held: NodeRecord | undefined, now: number): NodeRecord | undefined {
  if (held?.state !== "up" || now < held.expiresAt) return undefined;
  // Stored as a new end, which is looked at in time unless the edge goes away again.
  if (now - held.expiresAt > lateMs) return { ...held, expiresAt: now + lateGraceMs };
  return { ...held, state: "lapsed", revision: held.revision + 1 };
}

/** Claims and certificates are for nodes that are up. */
export function decideUp(held: NodeRecord | undefined, now: number): Result<NodeRecord> {
  if (!held || held.state === "released") return fail("not-registered", "Register the node first.");
  if (held.state === "lapsed" || now >= held.expiresAt) return fail("lease-expired", "Renew the lease first.");
  return succeed(held);
}

function decideCurrent(held: NodeRecord | undefined, epoch: number): Result<NodeRecord> {
  if (!held || epoch > held.epoch) return fail("not-registered", "No such registration is known here; register again.");
  if (epoch < held.epoch)
    return fail(
      "epoch-superseded",
      `Epoch ${epoch} was superseded: the same key has registered as epoch ${held.epoch}.`,
    );
  return succeed(held);
}
