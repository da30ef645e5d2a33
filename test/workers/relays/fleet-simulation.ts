/** A fleet over time: nodes renew their leases, loads are told with each heartbeat and seen that late. */
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { decideRelays, type Candidate } from "../../../workers/relays/relay-choice.ts";

const heartbeatMs = 10_000;
const renewMs = 30_000;
const stepMs = 1_000;

export class FleetSimulation {
  now = 1_700_000_000_000;
  /** Tunnels moved so far. */
  moves = 0;
  readonly #nodes: { id: NodeId; held: readonly NodeId[]; renewsAt: number }[];
  readonly #relays = new Map<NodeId, { told: number; at: number; phase: number }>();
  /** How much the load of a relay differs from its tunnels, as visitors come and go. */
  readonly #noise: () => number;

  constructor({ nodes, relays, noise = () => 0 }: { nodes: number; relays: readonly string[]; noise?: () => number }) {
    this.#noise = noise;
    for (const relay of relays) this.join(relay);
    this.#nodes = Array.from({ length: nodes }, (_, at) => ({
      id: `node ${at}`.padEnd(64, "e1") as NodeId,
      held: [],
      renewsAt: this.now + (at / nodes) * renewMs,
    }));
  }

  join(relay: string): void {
    this.#relays.set(relay as NodeId, { told: 0, at: this.now, phase: (this.#relays.size * 1_700) % heartbeatMs });
  }

  die(relay: string): void {
    this.#relays.delete(relay as NodeId);
  }

  heldBy(): ReadonlyMap<NodeId, readonly NodeId[]> {
    return new Map(this.#nodes.map(({ id, held }) => [id, held]));
  }

  loads(): Map<string, number> {
    const loads = new Map<string, number>([...this.#relays.keys()].map((relay) => [relay, 0]));
    for (const { held } of this.#nodes) for (const relay of held) loads.set(relay, (loads.get(relay) ?? 0) + 1);
    return loads;
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += stepMs) this.#step();
  }

  #step(): void {
    const { now } = this;
    const due = [...this.#relays].filter(([, { phase }]) => (now - phase) % heartbeatMs < stepMs);
    const loads = due.length > 0 ? this.loads() : new Map<string, number>();
    for (const [relay, status] of due) {
      status.told = Math.round((loads.get(relay) ?? 0) * (1 + this.#noise()));
      status.at = now;
    }
    const candidates = [...this.#relays].map(([relay, { told, at }]): Candidate => {
      const endpoint = { host: relay, port: 443, name: relay, version: "1" };
      return { relay, at, report: { ...endpoint, visitors: 0, tunnels: told, draining: false } };
    });
    for (const node of this.#nodes) {
      if (node.renewsAt > now) continue;
      node.renewsAt += renewMs;
      const chooser = { node: node.id, place: undefined, held: node.held, avoided: [], draining: [] };
      const chosen = decideRelays(candidates, chooser, { now, heartbeatMs }).map(({ relay }) => relay);
      this.moves += chosen.filter((relay) => !node.held.includes(relay)).length;
      node.held = chosen;
    }
  }
}
