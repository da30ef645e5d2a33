/** Whose names are whose, for who takes visitors and nodes: what the feed has told, and single lookups beyond it. */
import { decideAdmission, type Admission } from "../tunnel/admission.ts";
import type { RelayConfig } from "../config.ts";
import { signerOf } from "./edge-signer.ts";
import { EdgeLookup, type Lookup } from "./lookup.ts";
import type { Routing } from "./routing.ts";
import type { Owner } from "../visitors/visitors.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { FeedMessage } from "../../shared/registry/feed.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import { idHostname } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface DirectoryOptions {
  config: RelayConfig;
  identity: Identity;
  /** Kept current by this class. */
  routing: Routing;
  /** The epoch or the names of these nodes may have changed. */
  onTouched: (nodes: Set<string>) => void;
  tunnelsOf: (node: string) => number;
  /** The edge was asked for a name. */
  onLookup: (outcome: Lookup["kind"]) => void;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
}

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #routing: Routing;
  readonly #lookup: EdgeLookup;
  #fleet: readonly FleetRelay[] = [];

  constructor(options: DirectoryOptions) {
    this.#options = options;
    const { config, identity, routing, clock, fetch, onLookup, log } = options;
    this.#routing = routing;
    const edge = new EdgeClient({ edge: config.edge, signer: signerOf(identity), clock, fetch });
    this.#lookup = new EdgeLookup({ edge, onAnswer: onLookup, clock, log });
  }

  /** The other relays, as the edge has named them last. */
  get fleet(): readonly FleetRelay[] {
    return this.#fleet;
  }

  takeFleet(fleet: readonly FleetRelay[]): void {
    this.#fleet = fleet;
  }

  /** Where a node has its tunnels, as far as the edge knows; the same array until that changes. */
  relaysOf(node: string): readonly NodeId[] {
    return this.#routing.relaysOf(node);
  }

  epochOf(node: string): number | undefined {
    return this.#routing.epochOf(node);
  }

  /** The feed has told something. */
  take(message: FeedMessage): void {
    const { onTouched, clock } = this.#options;
    const touched = this.#routing.apply(message, clock.now());
    const told = message.type === "delta" ? message.changes : message.routes;
    for (const { name } of told) this.#lookup.forgetMiss(name);
    onTouched(touched);
  }

  /** Whose name it is; at once when the feed has told. */
  findOwner(name: string): Owner | Promise<Owner> {
    return this.#known(name) ?? this.#ask(name);
  }

  /** Whether a node that has proved its key may open a tunnel. Never rejects. */
  async admit(node: NodeId, epoch: number): Promise<Admission> {
    const { config, tunnelsOf } = this.#options;
    const decide = (asked: boolean): Admission | "ask" =>
      decideAdmission({
        epoch,
        known: this.#routing.epochOf(node),
        asked,
        tunnels: tunnelsOf(node),
        maxTunnels: config.limits.maxTunnelsPerNode,
      });
    const first = decide(false);
    if (first !== "ask") return first;
    const lookup = await this.#lookup.ask(idHostname(node, config.zone));
    if (lookup.kind === "route") this.#learn(lookup.route);
    const second = lookup.kind === "unavailable" ? "ask" : decide(true);
    if (second !== "ask") return second;
    return { admit: false, goaway: { reason: "not-admitted", detail: "The edge cannot be asked now; try again." } };
  }

  #known(name: string): Owner | undefined {
    const route = this.#routing.find(name);
    // Another name of the node may have told of a newer epoch first.
    if (!route) return undefined;
    const { node } = route;
    return {
      kind: "node",
      node,
      epoch: this.#routing.epochOf(node) ?? route.epoch,
      rules: this.#routing.rulesOf(node),
    };
  }

  async #ask(name: string): Promise<Owner> {
    const lookup = await this.#lookup.find(name);
    if (lookup.kind === "route") this.#learn(lookup.route);
    return this.#known(name) ?? { kind: lookup.kind === "unavailable" ? "unavailable" : "unknown" };
  }

  #learn(route: Parameters<Routing["learn"]>[0]): void {
    const { onTouched, clock } = this.#options;
    onTouched(this.#routing.learn(route, clock.now()));
  }
}
