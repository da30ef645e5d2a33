/** Which relays a node should hold tunnels to. Rules only. */
import { distanceBand } from "./distance.ts";
import { decideDoubtful, isAlive, type Heartbeat } from "./liveness.ts";
import { decideMove, decidePick, type Option } from "./load.ts";
import type { Avoided } from "../registry/node-calls.ts";
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
  /** It does not get through to these, or visitors do not get through them. */
  readonly avoided: readonly Avoided[];
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
  const present = decidePresent(candidates, chooser, { now, heartbeatMs });
  const optionOf = (candidate: Candidate) => {
    const { report, relay } = candidate;
    return { candidate, relay, band: distanceBand(place, report.place), load: report.visitors + report.tunnels };
  };
  const good = present.filter((candidate) => !whyAvoided(candidate, chooser, now)).map(optionOf);
  const kept = good.filter(({ relay }) => held.includes(relay)).slice(0, relaysPerNode);
  const others = good.filter((option) => !kept.includes(option));
  if (kept.length < relaysPerNode) fill(kept, others, node);
  else {
    const move = decideMove(node, { held: kept, others }, now);
    if (move) kept.splice(kept.indexOf(move.from), 1, move.to);
  }
  const lastResort = decideLastResort(present, chooser, now).map(optionOf);
  for (const isHeld of [true, false])
    fill(
      kept,
      lastResort.filter(({ relay }) => held.includes(relay) === isHeld),
      node,
    );
  return kept.toSorted((a, b) => a.band - b.band).map(({ candidate }) => candidate);
}

/** To which of the chosen ones names should lead: visitors are known not to get through the others. */
export function decideLedTo(chosen: readonly Candidate[], chooser: Chooser, now: number): readonly Candidate[] {
  const open = chosen.filter((candidate) => !whyAvoided(candidate, chooser, now)?.isLost);
  return open.length > 0 ? open : chosen;
}

/** The relay as a node is told of it. */
export function endpointOf({ relay, report }: Candidate): RelayEndpoint {
  return { relay, host: report.host, port: report.port, name: report.name };
}

/** Those that are there and stay. */
function decidePresent(
  candidates: readonly Candidate[],
  { held, draining }: Chooser,
  { now, heartbeatMs }: { now: number; heartbeatMs: number },
): Candidate[] {
  const doubtful = decideDoubtful(candidates, heartbeatMs, now);
  return candidates.filter((candidate) => {
    const { relay, report } = candidate;
    if (report.draining || draining.includes(relay)) return false;
    return isAlive(candidate, heartbeatMs, now) || (held.includes(relay) && doubtful.includes(candidate));
  });
}

/** What speaks against a relay; undefined: nothing. */
function whyAvoided({ relay, illUntil = 0 }: Candidate, { avoided }: Chooser, now: number): Avoided | undefined {
  const told = avoided.find((one) => one.relay === relay);
  return illUntil > now ? { ...told, relay, isLost: true } : told;
}

/**
 * Of those that something speaks against, the ones that have been heard of since the node did not get through, for they
 * may have been restarted; with nothing else left, all: they are better than none.
 */
function decideLastResort(present: readonly Candidate[], chooser: Chooser, now: number): Candidate[] {
  const avoided = present.flatMap((candidate) => {
    const why = whyAvoided(candidate, chooser, now);
    return why ? [{ candidate, isBack: why.since === undefined || candidate.at > why.since }] : [];
  });
  const isNothingElse = avoided.length === present.length && avoided.every(({ isBack }) => !isBack);
  return avoided.filter(({ isBack }) => isBack || isNothingElse).map(({ candidate }) => candidate);
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
