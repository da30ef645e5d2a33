/**
 * Looks from outside at the names of nodes: through the relays that DNS names, as visitors come, and whether the right
 * key answers. Workers cannot see the key of a TLS peer, so relays look for the edge; each path is one relay's duty.
 */
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { FleetRelay, Observation, Route } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { Doors, type DoorRelay, type Resolve } from "./doors.ts";
import { decideDuties } from "./duties.ts";
import { probeHandshake } from "./handshake.ts";
import { decideState, isDueForTelling, unseen, type PathState } from "./path-state.ts";
import { pathKey, ProbeQueue, type ProbeTask } from "./probe-queue.ts";
import type { Finding, ProbeOutcome } from "./reasons.ts";
import { decideTargets, isLocalName } from "./targets.ts";

/** Handshakes at the same time. */
const maxInFlight = 8;
/** A name that is new has its tunnels and its certificate a moment later. */
const newNameMs = 3_000;
const newNameSpreadMs = 5_000;
const namesPerSlice = 500;
const breathMs = 10;
/** How often it is asked whether the fleet is another one. */
const lookMs = 1_000;
/** The edge forgets what it has not heard for some minutes. */
export const refreshMs = 4 * 60_000;

/** What is known of names; `Routing` has it. */
export interface KnownNames {
  readonly names: Iterable<string>;
  find(name: string): Pick<Route, "node" | "key"> | undefined;
  /** Empty while that is not known. */
  relaysOf(node: string): readonly NodeId[];
}

export interface ProberOptions {
  /** This relay, as visitors reach it. */
  self: DoorRelay;
  routing: KnownNames;
  /** The other relays that live. */
  fleet: () => readonly FleetRelay[];
  /** Asks DNS; undefined where it has no say, and relays are gone to at once. */
  resolve: Resolve | undefined;
  everyMs: number;
  retryMs: number;
  perSecond: number;
  onObservation: (observation: Observation) => void;
  onProbe: (outcome: ProbeOutcome, seconds: number) => void;
  clock: Clock;
  random: () => number;
  log: Log;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #queue = new ProbeQueue();
  readonly #states = new Map<string, PathState>();
  readonly #touched = new Set<string>();
  readonly #doors: Doors;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #wake = new AbortController();
  #inFlight = 0;
  #fleetText = "";

  constructor(options: ProberOptions) {
    this.#options = options;
    const { resolve = () => Promise.resolve(undefined), clock } = options;
    this.#doors = new Doors({ resolve, clock });
    this.touch(options.routing.names);
    this.#done = this.#run();
  }

  /** These names are new, or where their nodes have tunnels has changed. */
  touch(names: Iterable<string>): void {
    for (const name of names) this.#touched.add(name);
    if (this.#touched.size > 0) this.#wake.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, perSecond } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      this.#followFleet();
      this.#survey();
      const task = this.#inFlight < maxInFlight ? this.#queue.take(clock.now()) : undefined;
      if (task) void this.#probe(task).finally(() => this.#inFlight--);
      if (task) this.#inFlight++;
      const idleMs = this.#touched.size > 0 ? breathMs : Math.min(lookMs, this.#queue.nextDue() - clock.now());
      const waitMs = task || this.#inFlight >= maxInFlight ? 1_000 / perSecond : Math.max(breathMs, idleMs);
      const woken = task ? signal : AbortSignal.any([signal, this.#wake.signal]);
      await clock.sleep(waitMs, woken).catch(() => {});
    }
  }

  /** Another fleet shares the duties out anew. */
  #followFleet(): void {
    const others = this.#others().map(({ relay }) => relay);
    const text = others.toSorted().join();
    if (text === this.#fleetText) return;
    this.#fleetText = text;
    this.touch(this.#options.routing.names);
  }

  #others(): FleetRelay[] {
    return this.#options.fleet().filter(({ draining }) => !draining);
  }

  /** Takes duties on, for some names at a time; those that are no more are found when their turn comes. */
  #survey(): void {
    const { clock, random } = this.#options;
    let left = namesPerSlice;
    for (const name of this.#touched) {
      if (left-- === 0) return;
      this.#touched.delete(name);
      for (const relay of this.#dutiesOf(name)) {
        const isKnown = this.#queue.has({ name, relay }) || this.#states.has(pathKey({ name, relay }));
        const dueAt = clock.now() + newNameMs + newNameSpreadMs * random();
        if (!isKnown) this.#queue.put({ name, relay, dueAt }, { doubtful: false });
      }
    }
  }

  #dutiesOf(name: string): NodeId[] {
    const { routing, self } = this.#options;
    const node = routing.find(name)?.node;
    if (node === undefined) return [];
    const others = this.#others().map(({ relay }) => relay);
    return decideDuties({ name, relays: routing.relaysOf(node), self: self.relay, others });
  }

  async #probe(task: ProbeTask): Promise<void> {
    const { routing, onProbe, clock, random, retryMs, everyMs, log } = this.#options;
    const key = pathKey(task);
    const before = this.#states.get(key) ?? unseen;
    const route = routing.find(task.name);
    const isDuty = this.#dutiesOf(task.name).includes(task.relay);
    // What was found down is looked at until it is up, though the node may have been led elsewhere meanwhile.
    if (!route || (!isDuty && before.state !== "down")) return void this.#states.delete(key);

    const startedAt = performance.now();
    const finding = await this.#look(task, route.key, before).catch((error: unknown): Finding => {
      log.warn("probe.failed", { name: task.name, error: errorText(error) });
      return { outcome: "unknown" };
    });
    if (this.#stop.signal.aborted) return;
    if (finding) onProbe(finding.outcome, (performance.now() - startedAt) / 1_000);
    // The relay answers and has not got the node, which is none of its duties any more.
    if (!isDuty && (!finding || finding.outcome === "refused")) return void this.#states.delete(key);

    const now = clock.now();
    const after = finding ? decideState(before, finding, now) : before;
    this.#settle(task, route.node, before, after);
    const doubtful = after.failures > 0;
    const waitMs = doubtful ? retryMs : everyMs * (0.9 + 0.2 * random());
    this.#queue.put({ ...task, dueAt: now + waitMs }, { doubtful });
  }

  #settle({ name, relay }: ProbeTask, node: NodeId, before: PathState, after: PathState): void {
    const { onObservation, log } = this.#options;
    const { state, detail, checkedAt } = after;
    const isTold = state !== undefined && isDueForTelling(before, after, refreshMs);
    this.#states.set(pathKey({ name, relay }), isTold ? { ...after, toldAt: checkedAt } : after);
    if (!isTold) return;
    onObservation({ node, hostname: name, relay, state, ...(detail !== undefined && { detail }), checkedAt });
    if (state === before.state) return;
    if (state === "down") log.warn("path.lost", { name, relay, detail });
    else log[before.state ? "info" : "debug"]("path.found", { name, relay });
  }

  /** Undefined when visitors are not led through that relay. */
  async #look({ name, relay }: ProbeTask, key: string | undefined, before: PathState): Promise<Finding | undefined> {
    const { self, resolve } = this.#options;
    const asked = resolve !== undefined && !isLocalName(name);
    const [doors, named] = await Promise.all([
      this.#doors.of([self, ...this.#options.fleet()]),
      asked ? resolve(name) : undefined,
    ]);
    const through = doors.find((door) => door.relay === relay);
    if (!through) return undefined;
    if (asked && named === undefined) return { outcome: "unknown" };
    const direct = before.state === "down" ? { addresses: through.addresses } : undefined;
    const targets = decideTargets(named, through, doors) ?? direct;
    if (!targets) return undefined;
    const findings = await Promise.all(
      targets.addresses.map((address) => probeHandshake({ address, port: through.port, serverName: name, key })),
    );
    return decideFinding(findings, "otherwise" in targets ? targets.otherwise : undefined);
  }
}

/** Of all the addresses of one relay: visitors may pick any of them. */
export function decideFinding(findings: readonly Finding[], otherwise: Finding | undefined): Finding {
  const telling = findings.filter(({ outcome }) => outcome !== "unknown");
  const failed = telling.find(({ outcome }) => outcome !== "up");
  if (failed) return otherwise ?? failed;
  return telling[0] ?? (findings.length === 0 ? otherwise : undefined) ?? { outcome: "unknown" };
}
