import { DurableObject } from "cloudflare:workers";
import { createProvider, type CreateProvider } from "./create-provider.ts";
import { memoryTable } from "./memory-provider.ts";
import type { DnsPublication, DnsStatus } from "./publication.ts";
import { decideStatus } from "./status.ts";
import { gateTables, ZoneGate } from "./zone-gate.ts";
import { ZonePass } from "./zone-pass.ts";
import { zoneTables, ZoneStore } from "./zone-store.ts";
import { workTables, ZoneWork } from "./zone-work.ts";
import { ZoneWriter } from "./zone-writer.ts";
import { edgeLog } from "../edge-log.ts";
import type { Env } from "../env.ts";
import { settingsOf } from "../object-settings.ts";
import { liveParts, type Parts } from "../parts.ts";
import { migrate } from "../storage/tables.ts";
import type { ChallengeRecord, Presented } from "../../shared/acme/ports.ts";
import { challengeName } from "../../shared/dns/record.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Wishes that come within this time of each other go into one batch. */
const coalesceMs = 25;
/** How long a challenge is waited for before its caller is told to ask again. */
export const presentMs = 5_000;
const askAgainMs = 1_000;
/** After an error that nobody has foreseen. */
const recoveryMs = 60_000;

export interface ZoneParts extends Parts {
  readonly createProvider: CreateProvider;
}

/** One DNS zone: the records every node wants there, those that stand there, and the one writer that closes the gap. */
export class DnsZone extends DurableObject<Env> {
  readonly #parts: ZoneParts;
  readonly #log: Log;
  readonly #zone: string;
  readonly #store: ZoneStore;
  readonly #work: ZoneWork;
  readonly #gate: ZoneGate;
  readonly #writer: ZoneWriter;
  readonly #pass: ZonePass;

  constructor(ctx: DurableObjectState, env: Env, parts: ZoneParts = { ...liveParts, createProvider }) {
    super(ctx, env);
    const { config, secrets } = settingsOf(env);
    const { sql } = ctx.storage;
    const { clock, random } = parts;
    migrate(sql, [zoneTables + workTables + gateTables + memoryTable]);
    const transaction = <T>(write: () => T): T => ctx.storage.transactionSync(write);
    const provider = parts.createProvider(config, secrets, { sql, transaction });
    const log = edgeLog(config.logLevel, clock);
    const store = new ZoneStore(sql);
    const work = new ZoneWork(sql);
    const gate = new ZoneGate({ sql, clock, random, callsPer5Min: config.dns.callsPer5Min });
    const common = { store, work, gate, provider, clock, log, transaction };
    this.#writer = new ZoneWriter({ ...common, random, readZone: () => this.#pass.request() });
    this.#pass = new ZonePass({
      ...common,
      reconcileMs: config.dns.reconcileMs,
      recentlyRemoved: () => this.#writer.recentlyRemoved,
    });
    this.#parts = parts;
    this.#log = log;
    this.#zone = config.zone;
    this.#store = store;
    this.#work = work;
    this.#gate = gate;
    work.markUnsure(gate.takeInterrupted(), { now: clock.now() });
  }

  /** Stores what a node should have; it is written soon afterwards. Older ones than the last have no effect. */
  async publish(publication: DnsPublication): Promise<void> {
    const records = publication.records.filter(({ name }) => this.#isWithin(name));
    const names = this.ctx.storage.transactionSync(() => this.#store.publish({ ...publication, records }));
    await this.#markChanged(names, { urgent: false });
  }

  /** Stores the records of an order, and waits a moment until they are written. */
  async present(request: { node: NodeId; order: string; records: readonly ChallengeRecord[] }): Promise<Presented> {
    const { clock } = this.#parts;
    const records = request.records.filter(({ hostname }) => this.#isWithin(hostname));
    const names = this.ctx.storage.transactionSync(() =>
      this.#store.present(request.node, request.order, records, clock.now()),
    );
    await this.#markChanged(names, { urgent: true });
    const wanted = records.map(({ hostname, value }) => ({
      name: challengeName(hostname),
      type: "TXT" as const,
      content: value,
    }));
    if (!this.#store.hasAll(wanted)) await this.#flushFor(wanted);
    if (this.#store.hasAll(wanted)) return { state: "written" };
    const retryAfterMs = Math.max(askAgainMs, (this.#writer.nextDue() ?? 0) - clock.now());
    const trouble = this.#gate.trouble() ?? wanted.flatMap(({ name }) => this.#work.refusalsAt(name))[0];
    if (!trouble) return { state: "pending", retryAfterMs };
    const { detail, remedy } = trouble;
    return { state: "pending", retryAfterMs, trouble: { detail, remedy } };
  }

  /** The records of an order are not needed any more. */
  async withdraw({ node, order }: { node: NodeId; order: string }): Promise<void> {
    await this.#markChanged(this.#store.withdraw(node, order), { urgent: false });
  }

  /** How far the records of a node are, for a person. */
  status(node: NodeId): DnsStatus {
    const wanted = this.#store.wantedBy(node);
    const missing = wanted.filter((record) => !this.#store.hasAll([record]));
    const names = new Set(missing.map(({ name }) => name));
    const refusals = [...names].flatMap((name) => this.#work.refusalsAt(name));
    const waitMs = Math.max(0, (this.#writer.nextDue() ?? 0) - this.#parts.clock.now());
    return decideStatus({
      records: wanted.length,
      missing: missing.length,
      waitMs,
      zone: this.#gate.trouble(),
      refusal: refusals[0] ?? this.#gate.quotaTrouble(),
    });
  }

  override async alarm(): Promise<void> {
    try {
      const now = this.#parts.clock.now();
      this.#work.mark(this.#store.sweep(now), { now });
      await this.#writer.flush();
      await this.#pass.step();
      await this.#setAlarm();
    } catch (error) {
      // The runtime would try a few times and then never again.
      this.#log.error("alarm.failed", { error: errorText(error) });
      await this.ctx.storage.setAlarm(this.#parts.clock.now() + recoveryMs);
    }
  }

  async #markChanged(names: readonly string[], { urgent }: { urgent: boolean }): Promise<void> {
    if (names.length === 0) return;
    this.#work.mark(names, { now: this.#parts.clock.now(), urgent });
    await this.#setAlarm();
  }

  /** Writes, together with what else comes in these milliseconds, until these are there or have to wait. */
  async #flushFor(wanted: Parameters<ZoneStore["hasAll"]>[0]): Promise<void> {
    const { clock } = this.#parts;
    await clock.sleep(coalesceMs);
    const giveUp = new AbortController();
    const late = clock.sleep(presentMs, giveUp.signal).then(
      () => "late",
      () => "done",
    );
    const flushed = this.#writer.flush().then(
      () => "done",
      (error) => this.#log.error("flush.failed", { error: errorText(error) }),
    );
    try {
      while (!this.#store.hasAll(wanted)) {
        const turn = await Promise.race([flushed, late, this.#writer.nextRound().then(() => "round")]);
        if (turn !== "round") break;
      }
      await this.#setAlarm();
    } finally {
      giveUp.abort();
    }
  }

  #isWithin(name: string): boolean {
    return name === this.#zone || name.endsWith(`.${this.#zone}`);
  }

  /** One alarm for everything; left as it is when it comes early enough. */
  async #setAlarm(): Promise<void> {
    const { clock } = this.#parts;
    const due = [this.#writer.nextDue(), this.#pass.nextDue(), this.#store.nextExpiry()];
    const at = Math.min(...due.filter((one) => one !== undefined));
    const soonest = Math.max(at, clock.now() + coalesceMs);
    const held = await this.ctx.storage.getAlarm();
    if (held === null || held > soonest) await this.ctx.storage.setAlarm(soonest);
  }
}
