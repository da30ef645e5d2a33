/** Which relays a node should hold tunnels to. Rules only. */
import { distanceBand } from "./distance.ts";
import { decideDoubtful, isAlive, type Heartbeat } from "./liveness.ts";
import { decideMove, decidePick, type Option } from "./load.ts";
import type { Place, RelayEndpoint } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Two, so that one may fail or be replaced without a visitor noticing. */
export const relaysPerNode = 2;

export interface Candidate extends Heartbeat {
  readonly relay: NodeId;
}

export interface Chooser {
  readonly node: NodeId;
  readonly place: Place | undefined;
  /** Those that were named to it last. */
  readonly held: readonly NodeId[];
  /** It does not get through to these. */
  readonly avoided: readonly NodeId[];
  /** These have told it that they stop, which may be news here. */
  readonly draining: readonly NodeId[];
}

/**
 * At most {@link relaysPerNode}, the nearest first. What the node holds stays, unless it is gone or moving pays; what is
 * missing is the nearest, and among about equally near ones by load and lot.
 */
export function decideRelays(
  candidates: readonly Candidate[],
  chooser: Chooser,
  { now, heartbeatMs }: { now: number; heartbeatMs: number },
): Candidate[] {
  const { node, place, held } = chooser;
  const options = decideUsable(candidates, chooser, { now, heartbeatMs }).map((candidate) => {
    const { report, relay } = candidate;
    return { candidate, relay, band: distanceBand(place, report.place), load: report.visitors + report.tunnels };
  });
  const kept = options.filter(({ relay }) => held.includes(relay)).slice(0, relaysPerNode);
  const others = options.filter((option) => !kept.includes(option));
  if (kept.length < relaysPerNode) fill(kept, others, node);
  else {
    const move = decideMove(node, { held: kept, others }, now);
    if (move) kept.splice(kept.indexOf(move.from), 1, move.to);
  }
  return kept.toSorted((a, b) => a.band - b.band).map(({ candidate }) => candidate);
}

/** The relay as a node is told of it. */
export function endpointOf({ relay, report }: Candidate): RelayEndpoint {
  return { relay, host: report.host, port: report.port, name: report.name };
}

/** With nothing else left, those that the node or visitors are said not to reach are better than none. */
function decideUsable(
  candidates: readonly Candidate[],
  { held, avoided, draining }: Chooser,
  { now, heartbeatMs }: { now: number; heartbeatMs: number },
): readonly Candidate[] {
  const doubtful = decideDoubtful(candidates, heartbeatMs, now);
  const present = candidates.filter((candidate) => {
    const { relay, report } = candidate;
    if (report.draining || draining.includes(relay)) return false;
    return isAlive(candidate, heartbeatMs, now) || (held.includes(relay) && doubtful.includes(candidate));
  });
  const reached = present.filter(({ relay, illUntil = 0 }) => !avoided.includes(relay) && illUntil <= now);
  return reached.length > 0 ? reached : present;
}

function fill<T extends Option>(kept: T[], others: readonly T[], node: NodeId): void {
  while (kept.length < relaysPerNode) {
    const left = others.filter((option) => !kept.includes(option));
    const nearest = Math.min(...left.map(({ band }) => band));
    const pick = decidePick(
      node,
      left.filter(({ band }) => band === nearest),
    );
    if (!pick) return;
    kept.push(pick);
  }
}
