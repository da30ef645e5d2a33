import { visitorAddressesOf } from "./addresses.ts";
import { HeartbeatMemory } from "./heartbeat-memory.ts";
import { isAlive, type Heartbeat } from "./liveness.ts";
import { decideLedTo, decideRelays, endpointOf, type Candidate, type Chooser } from "./relay-choice.ts";
import { readHeartbeat, storeHeartbeat } from "./relay-status.ts";
import type { Config } from "../config.ts";
import type { Env } from "../env.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { FleetRelay, Place, RelayEndpoint, RelayStatusReport } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface DirectoryParts {
  readonly env: Env;
  readonly config: Config;
  readonly log: Log;
}

export interface ChosenRelays {
  readonly relays: RelayEndpoint[];
  /** Where visitors reach them; of those that visitors are known not to get through only when all are. */
  readonly addresses: readonly string[];
}

/** The relays to name to a node. One of which nothing can be read is left out; that never fails the request. */
export async function readRelays(parts: DirectoryParts, chooser: Chooser, now: number): Promise<ChosenRelays> {
  const { relayKeys, relayHeartbeatMs: heartbeatMs } = parts.config;
  const chosen = decideRelays(await readCandidates(parts, [...relayKeys], now), chooser, { now, heartbeatMs });
  const ledTo = decideLedTo(chosen, chooser, now);
  return { relays: chosen.map(endpointOf), addresses: visitorAddressesOf(ledTo.map(({ report }) => report)) };
}

/** Takes a relay's heartbeat; answers the other relays whose heartbeats come. */
export async function takeHeartbeat(
  parts: DirectoryParts,
  { relay, report }: { relay: NodeId; report: RelayStatusReport },
  now: number,
): Promise<FleetRelay[]> {
  const { env } = parts;
  const memory = HeartbeatMemory.of(env);
  const heartbeat = { report, at: now };
  memory.remember(relay, { ...memory.last(relay), ...heartbeat }, now);
  memory.remember(relay, await storeHeartbeat(env, relay, heartbeat), now);
  return readFleet(parts, relay, now);
}

/** The relays whose heartbeats come, `asking` not among them. */
export async function readFleet(parts: DirectoryParts, asking: NodeId, now: number): Promise<FleetRelay[]> {
  const { relayKeys, relayHeartbeatMs } = parts.config;
  const others = [...relayKeys].filter((relay) => relay !== asking);
  const candidates = await readCandidates(parts, others, now);
  return candidates.filter((candidate) => isAlive(candidate, relayHeartbeatMs, now)).map(fleetRelayOf);
}

async function readCandidates(parts: DirectoryParts, relays: readonly NodeId[], now: number): Promise<Candidate[]> {
  const read = relays.map(async (relay) => {
    const heartbeat = await readRemembered(parts, relay, now);
    return heartbeat ? [{ relay, ...heartbeat }] : [];
  });
  return (await Promise.all(read)).flat();
}

async function readRemembered({ env, config, log }: DirectoryParts, relay: NodeId, now: number) {
  const memory = HeartbeatMemory.of(env);
  const recent = memory.recent(relay, { now, heartbeatMs: config.relayHeartbeatMs });
  if (recent) return recent.heartbeat;
  try {
    const heartbeat: Heartbeat | undefined = await readHeartbeat(env, relay);
    memory.remember(relay, heartbeat, now);
    return heartbeat;
  } catch (error) {
    log.warn("relay.unread", { relay, error: errorText(error) });
    return memory.last(relay);
  }
}

/** A relay as the others are told of it. */
function fleetRelayOf(candidate: Candidate): FleetRelay {
  const { report } = candidate;
  return { ...endpointOf(candidate), addresses: visitorAddressesOf([report]), draining: report.draining };
}

/** Where Cloudflare saw the request come from; nothing on other machines. */
export function placeOf(request: Request): Place | undefined {
  const { latitude, longitude } = request.cf ?? {};
  if (typeof latitude !== "string" || typeof longitude !== "string") return undefined;
  const place = { latitude: Number(latitude), longitude: Number(longitude) };
  return Number.isFinite(place.latitude) && Number.isFinite(place.longitude) ? place : undefined;
}
