/**
 * Heartbeats as they were read a moment ago. Every node's renewal wants those of all relays; without this each would
 * cost as many calls as there are relays. It is one isolate's, and holds values only: one request cannot wait for
 * what another one has asked for.
 */
import type { Heartbeat } from "./liveness.ts";
import type { Env } from "../env.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

const maxAgeMs = 2_500;
/** With short heartbeats for less: what is dead must not look alive by it, nor the other way round. */
const maxShareOfInterval = 0.25;

interface Remembered {
  readonly heartbeat: Heartbeat | undefined;
  readonly readAt: number;
}

export class HeartbeatMemory {
  readonly #held = new Map<NodeId, Remembered>();

  /** That of this environment: the runtime hands the same one to every request of an isolate. */
  static of(env: Env): HeartbeatMemory {
    const known = memories.get(env) ?? new HeartbeatMemory();
    memories.set(env, known);
    return known;
  }

  /** What was stored or read within the last moment: nothing, or the heartbeat, which may be none. */
  recent(relay: NodeId, { now, heartbeatMs }: { now: number; heartbeatMs: number }): Remembered | undefined {
    const held = this.#held.get(relay);
    const ageMs = held && now - held.readAt;
    const isRecent = ageMs !== undefined && ageMs >= 0 && ageMs < Math.min(maxAgeMs, maxShareOfInterval * heartbeatMs);
    return isRecent ? held : undefined;
  }

  /** However old: better than nothing for a relay that cannot be asked about now. */
  last(relay: NodeId): Heartbeat | undefined {
    return this.#held.get(relay)?.heartbeat;
  }

  remember(relay: NodeId, heartbeat: Heartbeat | undefined, readAt: number): void {
    this.#held.set(relay, { heartbeat, readAt });
  }
}

const memories = new WeakMap<Env, HeartbeatMemory>();
