import { DurableObject } from "cloudflare:workers";
import { decideLapse, decideRegistration, decideRelease, decideRenewal, decideUp, type NodeRecord } from "./lease.ts";
import { NodeStore, nodeTables } from "./node-store.ts";
import { createIssuer } from "../certificate/create-issuer.ts";
import { orderColumns, OrderStore, orderTable } from "../certificate/order-store.ts";
import { Orders } from "../certificate/orders.ts";
import { readConfig, type Config, type Secrets } from "../config.ts";
import { withDeadline } from "../deadline.ts";
import { edgeLog } from "../edge-log.ts";
import type { Env } from "../env.ts";
import { liveParts, type Parts } from "../parts.ts";
import type { Publication } from "../routing/publication.ts";
import { hub, shardOf, shards } from "../routing/shards.ts";
import { Nonces, nonceTable } from "../storage/nonces.ts";
import { Outbox, outboxTable } from "../storage/outbox.ts";
import { migrate } from "../storage/tables.ts";
import { AppError, errorText, fail, succeed, type Result } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Order, Place } from "../../shared/registry/messages.ts";
import { idHostname } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Aliases one key may hold. */
export const maxAliasesPerNode = 8;

/** A node's registration as its object knows it; relays are chosen by the caller. */
export interface HeldLease {
  readonly epoch: number;
  /** Aliases first, then the 52-character name. */
  readonly hostnames: string[];
  readonly expiresAt: number;
  readonly place: Place | null;
}

type HubMessage =
  | { kind: "publish"; shard: number; publication: Publication }
  | { kind: "release"; alias: string; hostname: string; owner: NodeId; revision: number };

/** One node, that is, one key: its epoch, lease, names, certificates, and the nonces it has used. */
export class NodeObject extends DurableObject<Env> {
  readonly #parts: Parts;
  readonly #config: Config;
  readonly #log: Log;
  readonly #store: NodeStore;
  readonly #nonces: Nonces;
  readonly #orders: Orders;
  readonly #outbox: Outbox<HubMessage>;

  constructor(ctx: DurableObjectState, env: Env, parts: Parts = liveParts) {
    super(ctx, env);
    const { config, secrets } = settingsOf(env);
    const { sql } = ctx.storage;
    migrate(sql, [nodeTables + nonceTable + outboxTable + orderTable, orderColumns]);
    this.#parts = parts;
    this.#config = config;
    this.#log = edgeLog(config.logLevel, parts.clock);
    this.#store = new NodeStore(sql);
    this.#nonces = new Nonces(sql);
    const issuer = () => createIssuer({ ...parts, env, config, secrets, log: this.#log });
    const node = () => this.#node();
    this.#orders = new Orders({ ...parts, store: new OrderStore(sql), log: this.#log, node, issuer });
    this.#outbox = new Outbox({ ...parts, sql, log: this.#log, deliver: (message) => this.#deliver(message) });
  }

  async rememberNonce(seen: { node: NodeId; nonce: string; expiresAt: number }): Promise<Result<null>> {
    const remembered = this.#nonces.remember({ ...seen, signer: seen.node }, this.#now());
    await this.#setAlarm();
    return remembered;
  }

  /** Raises the epoch; answers once the hubs know, or cannot be reached. */
  async register(request: { node: NodeId; place: Place | null }): Promise<HeldLease> {
    const { node, place } = request;
    const record = decideRegistration(this.#store.read(), { node, place: place ?? undefined }, this.#term());
    await this.#change(record);
    this.#log.info("node.registered", { node, epoch: record.epoch });
    return this.#leaseOf(record);
  }

  async renew(epoch: number): Promise<Result<HeldLease>> {
    const held = this.#store.read();
    const renewed = decideRenewal(held, epoch, this.#term());
    if (!renewed.ok) return renewed;
    await this.#change(renewed.value);
    if (held?.state === "lapsed") this.#log.info("lease.resumed", { node: held.node, epoch });
    return succeed(this.#leaseOf(renewed.value));
  }

  /** The node has said goodbye: its names lead nowhere at once, and stay its own. */
  async release(epoch: number): Promise<Result<null>> {
    const released = decideRelease(this.#store.read(), epoch);
    if (!released.ok) return released;
    await this.#change(released.value);
    this.#log.info("node.released", { node: released.value.node, epoch });
    return succeed(null);
  }

  async claimAlias({ alias, hostname }: { alias: string; hostname: string }): Promise<Result<null>> {
    const up = decideUp(this.#store.read(), this.#now());
    if (!up.ok) return up;
    if (this.#store.countOtherAliases(alias) >= maxAliasesPerNode)
      return fail("name-limit", `A node holds at most ${maxAliasesPerNode} aliases; release one first.`);
    const { node } = up.value;
    const revision = this.#noteClaim(up.value, alias);
    const claimed = await this.#askHub(hub(this.env, shardOf(hostname)).claimAlias({ alias, owner: node, revision }));
    if (!claimed.ok) {
      if (claimed.error.code === "name-taken") this.#store.dropAlias(alias);
      return claimed;
    }
    if (this.#store.confirmAlias(alias)) {
      this.#log.info("alias.claimed", { node, alias });
      await this.#republish();
    }
    return succeed(null);
  }

  /** For good: from now on anyone may claim it. */
  async releaseAlias({ alias, hostname }: { alias: string; hostname: string }): Promise<Result<null>> {
    const held = this.#store.read();
    if (!held) return fail("not-registered", "Register the node first.");
    const released = this.ctx.storage.transactionSync(() => {
      if (!this.#store.dropAlias(alias)) return false;
      const record = { ...held, revision: held.revision + 1 };
      this.#write(record);
      const { revision } = record;
      this.#outbox.put(`release:${alias}`, { kind: "release", alias, hostname, owner: held.node, revision }, revision);
      return true;
    });
    if (!released) return fail("not-found", `This node does not hold "${alias}".`);
    this.#log.info("alias.released", { node: held.node, alias });
    await this.#outbox.flush();
    await this.#setAlarm();
    return succeed(null);
  }

  async createOrder({ csr }: { csr: string }): Promise<Result<Order>> {
    const up = decideUp(this.#store.read(), this.#now());
    if (!up.ok) return up;
    const order = await resultOf(() => this.#orders.create(csr, this.#hostnames(up.value)));
    await this.#setAlarm();
    return order;
  }

  readOrder(id: string): Promise<Result<Order>> {
    return resultOf(() => this.#orders.read(id));
  }

  /** What the node said of its place, for the choice of relays. */
  place(): Place | null {
    return this.#store.read()?.place ?? null;
  }

  override async alarm(): Promise<void> {
    const lapsed = decideLapse(this.#store.read(), this.#now());
    if (lapsed) {
      this.#log.info("lease.lapsed", { node: lapsed.node, epoch: lapsed.epoch });
      this.ctx.storage.transactionSync(() => this.#write(lapsed));
    }
    this.#nonces.forget(this.#now());
    await this.#orders.stepDue();
    await this.#outbox.flush();
    await this.#setAlarm();
  }

  #now(): number {
    return this.#parts.clock.now();
  }

  /** Throws `not-registered`. */
  #node(): NodeId {
    const held = this.#store.read();
    if (!held) throw new AppError("not-registered", "Register the node first.");
    return held.node;
  }

  #term(): { now: number; leaseMs: number } {
    return { now: this.#now(), leaseMs: this.#config.leaseMs };
  }

  #hostnames(record: NodeRecord): string[] {
    const { zone } = this.#config;
    return [...this.#store.aliases().map((alias) => `${alias}.${zone}`), idHostname(record.node, zone)];
  }

  #leaseOf(record: NodeRecord): HeldLease {
    const { epoch, expiresAt, place } = record;
    return { epoch, hostnames: this.#hostnames(record), expiresAt, place: place ?? null };
  }

  /** Stores the record and delivers what changed by it. */
  async #change(record: NodeRecord): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#write(record));
    await this.#outbox.flush();
    await this.#setAlarm();
  }

  async #republish(): Promise<void> {
    const held = this.#store.read();
    if (held) await this.#change({ ...held, revision: held.revision + 1 });
  }

  /** Within a transaction. A new revision comes with the messages that tell the hubs. */
  #write(record: NodeRecord): void {
    const told = this.#store.read()?.revision;
    this.#store.write(record);
    if (told === record.revision) return;
    const { node, epoch, revision } = record;
    const live = record.state === "up" ? this.#hostnames(record) : [];
    for (const shard of shards) {
      const names = live.filter((name) => shardOf(name) === shard);
      this.#outbox.put(
        `publish:${shard}`,
        { kind: "publish", shard, publication: { node, epoch, revision, names } },
        revision,
      );
    }
  }

  /** Before the hub is asked; the revision makes a release of the same alias that is still under way void. */
  #noteClaim(held: NodeRecord, alias: string): number {
    return this.ctx.storage.transactionSync(() => {
      this.#outbox.drop(`release:${alias}`);
      this.#store.noteAlias(alias, this.#now());
      const record = { ...held, revision: held.revision + 1 };
      this.#store.write(record);
      return record.revision;
    });
  }

  async #askHub<T>(answer: Promise<Result<T>>): Promise<Result<T>> {
    try {
      return await withDeadline(answer, "The hub");
    } catch (error) {
      this.#log.warn("hub.unreached", { error: errorText(error) });
      return fail("upstream-unavailable", "The hub of names cannot be reached now; try again.");
    }
  }

  async #deliver(message: HubMessage): Promise<void> {
    const delivered =
      message.kind === "publish"
        ? hub(this.env, message.shard).publish(message.publication)
        : hub(this.env, shardOf(message.hostname)).releaseAlias(message);
    await withDeadline(delivered, "The hub");
  }

  async #setAlarm(): Promise<void> {
    const held = this.#store.read();
    const due = [
      held?.state === "up" ? held.expiresAt : undefined,
      this.#outbox.nextDue(),
      this.#orders.nextDue(),
      this.#nonces.lastExpiry(),
    ].filter((at) => at !== undefined);
    if (due.length > 0) await this.ctx.storage.setAlarm(Math.min(...due));
  }
}

function settingsOf(env: Env): { config: Config; secrets: Secrets } {
  const read = readConfig(env);
  if (!read.ok) throw new AppError("internal", read.problems.join("; ")); // requests are refused before they come here
  return read;
}

/** What a call that throws {@link AppError} comes to, as a value that survives RPC. */
async function resultOf<T>(call: () => T | Promise<T>): Promise<Result<T>> {
  try {
    return succeed(await call());
  } catch (error) {
    if (error instanceof AppError) return fail(error.code, error.detail);
    throw error;
  }
}
