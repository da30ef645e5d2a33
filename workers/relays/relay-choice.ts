/** Which relays a node should hold tunnels to. Rules only. */
import type { Place, RelayEndpoint, RelayStatusReport } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Two, so that one may fail or be replaced without a visitor noticing. */
export const relaysPerNode = 2;
/** Relays within the same band are about equally near: about 5 ms there and back. */
const distanceBandKm = 500;
/** A relay that has missed two heartbeats is not named to anyone. */
const healthyIntervals = 2.5;

export interface Heartbeat {
  readonly report: RelayStatusReport;
  /** When the edge received it (ms since the Unix epoch). */
  readonly at: number;
}

export interface Candidate extends Heartbeat {
  readonly relay: NodeId;
}

export interface Chooser {
  readonly node: NodeId;
  readonly place: Place | undefined;
  readonly heartbeatMs: number;
}

/** Healthy relays, the nearest first, of about equally near ones the less loaded; at most {@link relaysPerNode}. */
export function decideRelays(
  candidates: readonly Candidate[],
  { node, place, heartbeatMs }: Chooser,
  now: number,
): Candidate[] {
  const ranked = candidates
    .filter((candidate) => !candidate.report.draining && isAlive(candidate, heartbeatMs, now))
    .map((candidate) => ({
      candidate,
      band: distanceBand(place, candidate.report.place),
      // In powers of two, or every heartbeat would send nodes from one relay to another.
      load: Math.floor(Math.log2(1 + candidate.report.visitors + candidate.report.tunnels)),
      // The same pair always draws the same lot, so equals share the nodes and a node stays where it is.
      lot: lotOf(node + candidate.relay),
    }));
  ranked.sort((a, b) => a.band - b.band || a.load - b.load || a.lot - b.lot);
  return ranked.slice(0, relaysPerNode).map(({ candidate }) => candidate);
}

/** Whether its heartbeats come. */
export function isAlive({ at }: Heartbeat, heartbeatMs: number, now: number): boolean {
  return now - at < healthyIntervals * heartbeatMs;
}

/** The relay as a node is told of it. */
export function endpointOf({ relay, report }: Candidate): RelayEndpoint {
  return { relay, host: report.host, port: report.port, name: report.name };
}

/** Without a place of its own the node may be anywhere; a relay without one is the last resort. */
function distanceBand(from: Place | undefined, to: Place | undefined): number {
  if (!from) return 0;
  return to ? Math.floor(distanceKm(from, to) / distanceBandKm) : Number.MAX_SAFE_INTEGER;
}

const earthRadiusKm = 6371;

/** Along the great circle (haversine). */
export function distanceKm(from: Place, to: Place): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (a: number, b: number): number => Math.sin(radians(b - a) / 2) ** 2;
  const h =
    half(from.latitude, to.latitude) +
    Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * half(from.longitude, to.longitude);
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** FNV-1a. */
function lotOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
