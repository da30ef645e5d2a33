import { visitorAddressesOf } from "./addresses.ts";
import { decideRelays, endpointOf, isAlive, type Candidate } from "./relay-choice.ts";
import { readHeartbeat } from "./relay-status.ts";
import type { Config } from "../config.ts";
import type { Env } from "../env.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { FleetRelay, Place, RelayEndpoint } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface DirectoryParts {
  readonly env: Env;
  readonly config: Config;
  readonly log: Log;
}

export interface ChosenRelays {
  readonly relays: RelayEndpoint[];
  /** Where visitors reach them. */
  readonly addresses: readonly string[];
}

/** The relays to name to `node`. One whose status cannot be read is left out; that never fails the request. */
export async function readRelays(
  { env, config, log }: DirectoryParts,
  { node, place }: { node: NodeId; place: Place | undefined },
  now: number,
): Promise<ChosenRelays> {
  const candidates = await readCandidates({ env, config, log }, [...config.relayKeys]);
  const chosen = decideRelays(candidates, { node, place, heartbeatMs: config.relayHeartbeatMs }, now);
  return { relays: chosen.map(endpointOf), addresses: visitorAddressesOf(chosen.map(({ report }) => report)) };
}

/** The relays whose heartbeats come, `asking` not among them. */
export async function readFleet(
  { env, config, log }: DirectoryParts,
  asking: NodeId,
  now: number,
): Promise<FleetRelay[]> {
  const others = [...config.relayKeys].filter((relay) => relay !== asking);
  const candidates = await readCandidates({ env, config, log }, others);
  return candidates.filter((candidate) => isAlive(candidate, config.relayHeartbeatMs, now)).map(fleetRelayOf);
}

async function readCandidates({ env, log }: DirectoryParts, relays: readonly NodeId[]): Promise<Candidate[]> {
  const candidates = relays.map(async (relay) => {
    try {
      const heartbeat = await readHeartbeat(env, relay);
      return heartbeat ? [{ relay, ...heartbeat }] : [];
    } catch (error) {
      log.warn("relay.unread", { relay, error: errorText(error) });
      return [];
    }
  });
  return (await Promise.all(candidates)).flat();
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
