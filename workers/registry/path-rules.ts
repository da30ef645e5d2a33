/** What marks of relays come to: how visitors fare on the way to a node through each relay. Rules only. */
import type { Avoided } from "./node-calls.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import type { Observation, Path } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Relays tell anew after four minutes; what two of them have not confirmed is not known any more. */
export const staleMs = 12 * 60_000;

/** The newest observation of one name through one relay. */
export interface Mark extends Omit<Observation, "node"> {
  /** Who looked. */
  readonly reporter: NodeId;
  /** When the edge heard of it. */
  readonly heardAt: number;
}

/** One path for each relay: down when any of the node's names is. Sorted by relay. */
export function decidePaths(marks: readonly Mark[], hostnames: readonly string[], now: number): Path[] {
  const fresh = marks.filter(({ hostname, heardAt }) => hostnames.includes(hostname) && now - heardAt < staleMs);
  const relays = [...new Set(fresh.map(({ relay }) => relay))].toSorted();
  return relays.map((relay) =>
    pathThrough(
      relay,
      fresh.filter((mark) => mark.relay === relay),
    ),
  );
}

/** Those through relays that the node holds: nobody looks at the others any more, and what was found there stays as it was. */
export function decideHeld(paths: readonly Path[], relays: readonly NodeId[]): Path[] {
  return paths.filter(({ relay }) => relays.includes(relay));
}

function pathThrough(relay: NodeId, marks: readonly Mark[]): Path {
  const down = marks.find(({ state }) => state === "down");
  if (!down) return { relay, state: "up", checkedAt: Math.max(...marks.map(({ checkedAt }) => checkedAt)) };
  const { state, detail, checkedAt } = down;
  return { relay, state, ...(detail !== undefined && { detail }), checkedAt };
}

/** Ways through relays where visitors fail, while they do not through another: the node is better off without these. */
export function decideLost(paths: readonly Path[]): Path[] {
  const isUpSomewhere = paths.some(({ state }) => state === "up");
  return isUpSomewhere ? paths.filter(({ state }) => state === "down") : [];
}

/** Those that the node does not get through to, and those that visitors do not get through. */
export function decideAvoided(
  unreached: readonly { readonly relay: NodeId; readonly since: number }[],
  paths: readonly Path[],
): Avoided[] {
  const lost = new Set(decideLost(paths).map(({ relay }) => relay));
  const told = unreached.map((one) => ({ ...one, isLost: lost.delete(one.relay) }));
  return [...told, ...[...lost].map((relay) => ({ relay, isLost: true }))];
}

/** What the node's person has to look at. */
export function decidePathTrouble(paths: readonly Path[]): Trouble | undefined {
  const down = paths.filter(({ state }) => state === "down");
  const [first] = down;
  if (!first) return undefined;
  const detail = first.detail ?? "nothing answers";
  if (down.length < paths.length)
    return {
      detail: `Visitors do not get through relay ${shortId(first.relay)}: ${detail}.`,
      remedy: "The name is led past it meanwhile; its operator should look at its public port and addresses.",
    };
  return {
    detail: `Visitors do not get through: ${detail}.`,
    remedy: "Look at the name's address records and at the relays' public ports; the node itself is not reached.",
  };
}

function shortId(relay: string): string {
  return `${relay.slice(0, 8)}…`;
}
