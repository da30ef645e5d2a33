/** One node's registration, lease and aliases, and what the hubs are told of them. */
import { decideLapse, decideRegistration, decideRelease, decideRenewal, decideUp, type NodeRecord } from "./lease.ts";
import type { NodeMessage } from "./node-messages.ts";
import type { NodeStore } from "./node-store.ts";
import type { Remote } from "../remote.ts";
import type { RouteHub } from "../routing/route-hub.ts";
import { shardOf, shards } from "../routing/shards.ts";
import type { Outbox } from "../storage/outbox.ts";
import { withDeadline } from "../deadline.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText, unwrap } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeRules, Place } from "../../shared/registry/messages.ts";
import { idHostname } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Aliases one key may hold. */
export const maxAliasesPerNode = 8;

export interface RegistrationsParts {
  readonly store: NodeStore;
  readonly outbox: Outbox<NodeMessage>;
  readonly hubOf: (hostname: string) => Pick<Remote<RouteHub>, "claimAlias">;
  readonly transaction: <T>(write: () => T) => T;
  readonly zone: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called within the transaction that stores a new state or other names. */
  readonly onChanged: (record: NodeRecord) => void;
}

/** Methods store, and throw {@link AppError}; delivering the outbox afterwards is the caller's. */
export class Registrations {
  readonly #parts: RegistrationsParts;

  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
  }

  get current(): NodeRecord | undefined {
    return this.#parts.store.read();
  }

  /** Throws `not-registered`. */
  get known(): NodeRecord {
    const held = this.current;
    if (!held) throw new AppError("not-registered", "Register the node first.");
    return held;
  }

  /** Throws `not-registered` or `lease-expired`: claims and certificates are for nodes that are up. */
  get up(): NodeRecord {
    return unwrap(decideUp(this.current, this.#parts.clock.now()));
  }

  /** Of a node that is up; throws as {@link up} does. */
  liveHostnames(): string[] {
    return this.#hostnamesOf(this.up);
  }

  /** Aliases first, then the 52-character name. */
  hostnames(): string[] {
    const held = this.current;
    return held ? this.#hostnamesOf(held) : [];
  }

  /** Those named to the node last. */
  get relays(): readonly NodeId[] {
    return this.#parts.store.relays() ?? [];
  }

  /** Raises the epoch. */
  register({ node, place }: { node: NodeId; place: Place | undefined }): NodeRecord {
    const record = decideRegistration(this.current, { node, place }, this.#term());
    this.#write(record);
    this.#parts.log.info("node.registered", { node, epoch: record.epoch });
    return record;
  }

  renew(epoch: number): NodeRecord {
    const held = this.current;
    const renewed = unwrap(decideRenewal(held, epoch, this.#term()));
    this.#write(renewed);
    if (held?.state === "lapsed") this.#parts.log.info("lease.resumed", { node: held.node, epoch });
    return renewed;
  }

  /** The node has said goodbye: its names lead nowhere, and stay its own. */
  release(epoch: number): void {
    const released = unwrap(decideRelease(this.current, epoch));
    this.#write(released);
    this.#parts.log.info("node.released", { node: released.node, epoch });
  }

  /** The node has said goodbye for good: anyone may claim its aliases. */
  leave(): void {
    const { store, transaction, log } = this.#parts;
    const held = this.known;
    const left: NodeRecord = { ...held, state: "released", revision: held.revision + 1 };
    transaction(() => {
      for (const alias of store.notedAliases()) this.#giveBack(alias, left);
      this.#write(left);
    });
    log.info("node.left", { node: held.node, epoch: held.epoch });
  }

  /** The lease may have run out. */
  lapse(): void {
    const judged = decideLapse(this.current, this.#parts.clock.now());
    if (!judged) return;
    const { node, epoch, state } = judged;
    this.#parts.log.info(state === "up" ? "lease.spared" : "lease.lapsed", { node, epoch });
    this.#write(judged);
  }

  /** What relays do for this node from now on. */
  setRules(rules: NodeRules): void {
    const { store, transaction, log } = this.#parts;
    const held = this.known;
    transaction(() => {
      store.writeRules(rules);
      this.#write({ ...held, revision: held.revision + 1 });
    });
    log.info("rules.set", { node: held.node, networks: rules.allow.length + rules.deny.length });
  }

  /** To which relays the node is sent from now on. */
  setRelays(relays: readonly NodeId[]): void {
    const { store, transaction, log } = this.#parts;
    const held = this.up;
    if (store.relays()?.join() === relays.join()) return;
    transaction(() => {
      store.writeRelays(relays);
      this.#write({ ...held, revision: held.revision + 1 });
    });
    log.info("relays.assigned", { node: held.node, relays });
  }

  /** The node's own word for the key that its visitors meet; undefined when it has none to give. */
  get toldKey(): string | undefined {
    return this.#parts.store.servedKeys().told ?? undefined;
  }

  tellKey(key: string | undefined): void {
    const { store } = this.#parts;
    const { told, published } = store.servedKeys();
    if (told !== (key ?? null)) store.writeServedKeys({ told: key ?? null, published });
  }

  /** Relays look for this key from now on; undefined: for none. */
  publishKey(key: string | undefined): void {
    const { store, transaction } = this.#parts;
    const held = this.current;
    const { told, published } = store.servedKeys();
    if (!held || published === (key ?? null)) return;
    transaction(() => {
      store.writeServedKeys({ told, published: key ?? null });
      this.#write({ ...held, revision: held.revision + 1 });
    });
  }

  async claimAlias(alias: string): Promise<void> {
    const { store, zone, hubOf, log } = this.#parts;
    const { node } = this.up;
    if (store.countOtherAliases(alias) >= maxAliasesPerNode)
      throw new AppError("name-limit", `A node holds at most ${maxAliasesPerNode} aliases; release one first.`);
    const revision = this.#noteClaim(alias);
    const claimed = await this.#askHub(hubOf(`${alias}.${zone}`).claimAlias({ alias, owner: node, revision }));
    if (!claimed.ok && claimed.error.code === "name-taken") store.dropAlias(alias);
    unwrap(claimed);
    if (!store.confirmAlias(alias)) return;
    log.info("alias.claimed", { node, alias });
    this.#write({ ...this.known, revision: this.known.revision + 1 });
  }

  /** For good: from now on anyone may claim it. */
  releaseAlias(alias: string): void {
    const { transaction, log } = this.#parts;
    const held = this.known;
    const record = { ...held, revision: held.revision + 1 };
    const released = transaction(() => {
      const given = this.#giveBack(alias, record);
      if (given) this.#write(record);
      return given;
    });
    if (!released) throw new AppError("not-found", `This node does not hold "${alias}".`);
    log.info("alias.released", { node: held.node, alias });
  }

  /** Whether the node held it. Within a transaction that writes the record too. */
  #giveBack(alias: string, { node: owner, revision }: NodeRecord): boolean {
    const { store, outbox, zone } = this.#parts;
    const held = store.dropAlias(alias);
    const hostname = `${alias}.${zone}`;
    if (held) outbox.put(`release:${alias}`, { kind: "release", alias, hostname, owner, revision }, revision);
    return held;
  }

  /** Before the hub is asked; the revision makes a release of the same alias that is still under way void. */
  #noteClaim(alias: string): number {
    const { store, outbox, transaction, clock } = this.#parts;
    const held = this.known;
    const revision = held.revision + 1;
    transaction(() => {
      outbox.drop(`release:${alias}`);
      store.noteAlias(alias, clock.now());
      store.write({ ...held, revision });
    });
    return revision;
  }

  async #askHub<T>(answer: Promise<T>): Promise<T> {
    try {
      return await withDeadline(answer, "The hub");
    } catch (error) {
      this.#parts.log.warn("hub.unreached", { error: errorText(error) });
      throw new AppError("upstream-unavailable", "The hub of names cannot be reached now; try again.");
    }
  }

  #hostnamesOf({ node }: NodeRecord): string[] {
    const { store, zone } = this.#parts;
    return [...store.aliases().map((alias) => `${alias}.${zone}`), idHostname(node, zone)];
  }

  #term(): { now: number; leaseMs: number } {
    return { now: this.#parts.clock.now(), leaseMs: this.#parts.leaseMs };
  }

  /** A new revision comes with the messages that tell the hubs. */
  #write(record: NodeRecord): void {
    const { store, transaction, outbox, onChanged } = this.#parts;
    transaction(() => {
      const told = store.read()?.revision;
      store.write(record);
      if (told === record.revision) return;
      const { node, epoch, revision } = record;
      const key = store.servedKeys().published ?? undefined;
      const about = { rules: store.rules(), relays: store.relays(), key };
      const live = record.state === "up" ? this.hostnames() : [];
      for (const shard of shards) {
        const names = live.filter((name) => shardOf(name) === shard);
        const publication = { node, epoch, revision, names, ...about };
        outbox.put(`publish:${shard}`, { kind: "publish", shard, publication }, revision);
      }
      onChanged(record);
    });
  }
}
