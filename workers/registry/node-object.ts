import { DurableObject } from "cloudflare:workers";
import type { NodeRecord } from "./lease.ts";
import type { AssignedRelays, HeldLease, Registering, Renewing, Situation } from "./node-calls.ts";
import { composeNode, liveNodeParts, type Composition, type NodeParts } from "./node-composition.ts";
import { nodeViewOf } from "./node-view.ts";
import type { Verdict } from "./path-marks.ts";
import { decideAvoided, decideHeld, decidePathTrouble } from "./path-rules.ts";
import { decideKey } from "./served-key.ts";
import type { OwnAdmission } from "../certificate/own-orders.ts";
import type { DnsStatus } from "../dns/publication.ts";
import type { Env } from "../env.ts";
import type { Admission, ChallengeRecord, Presented, Trouble } from "../../shared/acme/ports.ts";
import { AppError, errorText, fail, succeed, type Result } from "../../shared/errors.ts";
import type { AccountBinding, NodeRules, NodeView, Observation, Order } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Orders of a node that has been gone for so long are given up; it makes new ones when it is back. */
const awayMs = 3_600_000;
/** An order whose process has died goes on after so long. */
const resumeMs = 1_000;
/** After an error that nobody has foreseen. */
const recoveryMs = 60_000;

/** One node, that is, one key: its epoch, lease, names, DNS records, certificates, and the nonces it has used. */
export class NodeObject extends DurableObject<Env> {
  readonly #now: () => number;
  readonly #node: Composition;
  /**
   * While it runs it is left alone: the runtime repeats one whose process has died, unless another was set meanwhile.
   * After such a death the first request looks whether it comes in time for all that is due.
   */
  #alarm: "unchecked" | "set" | "running" = "unchecked";

  constructor(ctx: DurableObjectState, env: Env, parts: NodeParts = liveNodeParts) {
    super(ctx, env);
    this.#now = () => parts.clock.now();
    this.#node = composeNode(ctx.storage, env, parts);
  }

  async rememberNonce(seen: { node: NodeId; nonce: string; expiresAt: number }): Promise<Result<null>> {
    const remembered = this.#node.nonces.remember({ ...seen, signer: seen.node }, this.#now());
    if (this.#alarm === "unchecked") await this.#setAlarm();
    if (this.#alarm === "set") await this.#wakeBy(seen.expiresAt);
    return remembered;
  }

  /** Raises the epoch; answers once the hubs know, or cannot be reached. */
  register({ node, place, key }: Registering): Promise<Result<HeldLease>> {
    return this.#change(({ registrations }) => {
      const record = registrations.register({ node, place: place ?? undefined });
      registrations.tellKey(key);
      return this.#leaseOf(record);
    });
  }

  renew({ epoch, unreachable, key }: Renewing): Promise<Result<HeldLease>> {
    return this.#change(({ registrations, avoided }) => {
      const renewed = registrations.renew(epoch);
      registrations.tellKey(key);
      avoided.add(
        unreachable.filter((relay) => registrations.relays.includes(relay)),
        this.#now(),
      );
      return this.#leaseOf(renewed);
    });
  }

  /** What a relay has found of this node's names; answers what it comes to, for each relay it is of. */
  observe(seen: { reporter: NodeId; observations: readonly Observation[] }): Promise<Result<Verdict[]>> {
    return this.#change(({ pathMarks }) => pathMarks.observe(seen.reporter, seen.observations));
  }

  /** The node has said goodbye: its names lead nowhere at once, and stay its own. */
  release(epoch: number): Promise<Result<void>> {
    return this.#change(({ registrations }) => registrations.release(epoch));
  }

  /** The node has said goodbye for good: nothing of it stays. */
  leave(): Promise<Result<void>> {
    return this.#change(({ registrations, wishes, orders, ownOrders }) => {
      registrations.leave();
      wishes.end(registrations.known.node);
      orders.abandon(gone("The node has left."));
      ownOrders.drop();
    });
  }

  /** Where the relays, or their addresses, are others than {@link HeldLease} has told. */
  setRelays({ relays, addresses }: AssignedRelays): Promise<Result<void>> {
    return this.#change(({ registrations, wishes }) => {
      registrations.setRelays(relays);
      if (addresses.length > 0) wishes.setAddresses(registrations.up.node, addresses);
    });
  }

  setRules(rules: NodeRules): Promise<Result<void>> {
    return this.#change(({ registrations }) => registrations.setRules(rules));
  }

  claimAlias(alias: string): Promise<Result<void>> {
    return this.#change(({ registrations }) => registrations.claimAlias(alias));
  }

  /** For good: from now on anyone may claim it. */
  releaseAlias({ alias, hostname }: { alias: string; hostname: string }): Promise<Result<void>> {
    return this.#change(({ registrations, orders, ownOrders }) => {
      registrations.releaseAlias(alias);
      orders.abandon(gone("The node has given one of the names back."), hostname);
      ownOrders.drop(hostname);
    });
  }

  async createOrder({ csr }: { csr: string }): Promise<Result<Order>> {
    await this.#wakeBy(this.#now() + resumeMs); // if this process dies over it
    return this.#change(async ({ registrations, wishes, orders }) => {
      const { node } = registrations.up;
      // Whoever lets the edge order lets the edge's accounts issue.
      if (wishes.hasOwnAccounts) wishes.setOwnAccounts(node, []);
      return orders.create(csr, registrations.hostnames());
    });
  }

  readOrder(id: string): Promise<Result<Order>> {
    return resultOf(() => this.#node.orders.read(id));
  }

  /** Lets these ACME accounts issue for the node's names, and no others; none: the edge's. */
  setAccounts(accounts: readonly AccountBinding[]): Promise<Result<void>> {
    return this.#change(({ registrations, wishes }) => wishes.setOwnAccounts(registrations.up.node, accounts));
  }

  presentChallenges(request: { order: string; records: readonly ChallengeRecord[] }): Promise<Result<Presented>> {
    return this.#change(({ ownOrders }) => ownOrders.present(request.order, request.records));
  }

  withdrawChallenges(order: string): Promise<Result<void>> {
    return this.#change(({ ownOrders }) => ownOrders.withdraw(order));
  }

  admit(request: OwnAdmission): Promise<Result<Admission>> {
    return this.#change(({ ownOrders }) => ownOrders.admit(request));
  }

  settle(request: { order: string; directory: string; outcome: "issued" | "failed" }): Promise<Result<void>> {
    const { order, directory, outcome } = request;
    return this.#change(({ ownOrders }) => ownOrders.settle(order, directory, outcome));
  }

  view(): Promise<Result<NodeView>> {
    return resultOf(async () => {
      const { registrations, orderStore, wishes, caaWatch, rehearsals, pathMarks } = this.#node;
      const record = registrations.known;
      const dns = await this.#dnsStatus(record.node);
      const paths = decideHeld(pathMarks.paths, registrations.relays);
      const troubles = [decidePathTrouble(paths), caaWatch.trouble, rehearsals?.trouble];
      const hostnames = registrations.hostnames();
      const { records } = wishes;
      return nodeViewOf({
        record,
        hostnames,
        orders: orderStore.all(),
        dns,
        records,
        paths,
        troubles,
        now: this.#now(),
      });
    });
  }

  situation(): Situation {
    const { registrations, avoided, pathMarks } = this.#node;
    const place = registrations.current?.place ?? null;
    const shunned = decideAvoided(avoided.at(this.#now()), pathMarks.paths);
    return { place, relays: [...registrations.relays], avoided: shunned };
  }

  override async alarm(): Promise<void> {
    const { registrations, nonces, outbox, log } = this.#node;
    this.#alarm = "running";
    try {
      registrations.lapse();
      nonces.forget(this.#now());
      const held = registrations.current;
      await Promise.all([outbox.flush(), held && this.#work(held)]);
      this.#followKey();
      await outbox.flush();
      await this.#setAlarm();
    } catch (error) {
      // The runtime would try a few times and then never again.
      log.error("alarm.failed", { error: errorText(error) });
      await this.ctx.storage.setAlarm(this.#now() + recoveryMs);
      this.#alarm = "set";
    }
  }

  /** Whatever is due. */
  async #work(held: NodeRecord): Promise<void> {
    const { wishes, orders, caaWatch, renewals, rehearsals } = this.#node;
    if (this.#abandonsAt(held) <= this.#now()) orders.abandon(gone("The node has been away for more than an hour."));
    const isUp = held.state === "up";
    if (isUp && !wishes.hasOwnAccounts) rehearsals?.startDue();
    await Promise.all([
      orders.stepDue(),
      wishes.lookDue(held),
      isUp && renewals.lookDue(),
      isUp && caaWatch.lookDue(wishes.records),
    ]);
  }

  async #setAlarm(): Promise<void> {
    const { registrations, nonces, outbox, wishes, orders, caaWatch, renewals, rehearsals } = this.#node;
    const held = registrations.current;
    const isUp = held?.state === "up";
    const due = [
      nonces.lastExpiry(),
      outbox.nextDue(),
      orders.nextDue(),
      wishes.nextDue(isUp),
      isUp ? held.expiresAt : undefined,
      isUp ? renewals.nextDue() : undefined,
      isUp ? caaWatch.nextDue() : undefined,
      isUp && !wishes.hasOwnAccounts ? rehearsals?.nextDue() : undefined,
      held && this.#abandonsAt(held),
    ].filter((at) => at !== undefined);
    await this.#wakeBy(Math.min(...due));
    this.#alarm = "set";
  }

  /** Where an alarm is set already that comes sooner, it waits for that: setting one is a write. */
  async #wakeBy(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    const next = Math.max(this.#now(), at); // the runtime takes none at the epoch
    if (next < (set ?? Infinity)) await this.ctx.storage.setAlarm(next);
  }

  #abandonsAt({ state, expiresAt }: NodeRecord): number {
    return state !== "up" && this.#node.orders.areProcessing ? expiresAt + awayMs : Infinity;
  }

  /** Makes a change, and delivers what follows from it. */
  async #change<T>(make: (node: Composition) => T | Promise<T>): Promise<Result<T>> {
    const result = await resultOf(() => make(this.#node));
    this.#followKey();
    await this.#node.outbox.flush();
    await this.#setAlarm();
    return result;
  }

  /** Certificates come and end, and the node's word changes: hubs are told of the key that follows. */
  #followKey(): void {
    const { registrations, orderStore, wishes } = this.#node;
    const { hasOwnAccounts } = wishes;
    registrations.publishKey(decideKey(registrations.toldKey, orderStore.all(), { now: this.#now(), hasOwnAccounts }));
  }

  #leaseOf({ epoch, expiresAt }: NodeRecord): HeldLease {
    const { registrations, wishes, pathMarks } = this.#node;
    const hostnames = registrations.hostnames();
    const { paths } = pathMarks;
    return { epoch, hostnames, expiresAt, addresses: [...wishes.addresses], paths, ...this.situation() };
  }

  async #dnsStatus(node: NodeId): Promise<DnsStatus> {
    const { surroundings, wishes, log } = this.#node;
    try {
      return await surroundings.dnsStatus(node);
    } catch (error) {
      log.warn("dns.unread", { node, error: errorText(error) });
      return { state: "pending", records: wishes.records.length, words: "the zone's object does not answer just now" };
    }
  }
}

const gone = (detail: string): Trouble => ({ detail, remedy: "Order again when the node is back." });

/** What a call that throws {@link AppError} comes to, as a value that survives RPC. */
async function resultOf<T>(call: () => T | Promise<T>): Promise<Result<T>> {
  try {
    return succeed(await call());
  } catch (error) {
    if (error instanceof AppError) return fail(error.code, error.detail);
    throw error;
  }
}
