import type { Env } from "../env.ts";
import type { RouteHub } from "./route-hub.ts";
import type { Remote } from "../remote.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Relays hold one feed for each hub. Raising it means one feed more for each relay, and moving names over. */
const shardCount = 1;

export const shards: readonly number[] = Array.from({ length: shardCount }, (_, shard) => shard);

/** Which hub holds a name: FNV-1a of its text, so that every process computes the same. */
export function shardOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % shardCount;
}

export function hub(env: Env, shard = 0): Remote<RouteHub> {
  return stub(env, shard);
}

/** The answer to the upgrade of a relay's feed. */
export function fetchFeed(env: Env, relay: NodeId, since: string | undefined): Promise<Response> {
  const url = new URL("https://hub/feed");
  url.searchParams.set("relay", relay);
  if (since !== undefined) url.searchParams.set("since", since);
  return stub(env, 0).fetch(url, { headers: { upgrade: "websocket" } });
}

function stub(env: Env, shard: number): DurableObjectStub<RouteHub> {
  return env.HUBS.get(env.HUBS.idFromName(String(shard)));
}
