/** What one node wants of the zone: kept here, told to the zone's object whenever it changes. */
import { decideEnd, decideRecords } from "./dns-wish.ts";
import type { NodeRecord } from "./lease.ts";
import type { NodeMessage } from "./node-messages.ts";
import type { Outbox } from "../storage/outbox.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { AccountBinding } from "../../shared/registry/messages.ts";

export const dnsTable = `
  CREATE TABLE dns (
    only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL, addresses TEXT NOT NULL, records TEXT NOT NULL,
    ends_at INTEGER, own_accounts TEXT NOT NULL, edge_accounts TEXT, asked_at INTEGER NOT NULL, ask_at INTEGER,
    attempt INTEGER NOT NULL
  );`;

/** The edge's accounts seldom change, and orders ask for them besides. */
const askAgainMs = 86_400_000;
const askBackoff = { baseMs: 2_000, maxMs: 10 * 60_000 };

type Row = {
  revision: number;
  addresses: string;
  records: string;
  ends_at: number | null;
  own_accounts: string;
  edge_accounts: string | null;
  asked_at: number;
  ask_at: number | null;
  attempt: number;
};

const empty: Row = {
  revision: 0,
  addresses: "[]",
  records: "[]",
  ends_at: null,
  own_accounts: "[]",
  edge_accounts: null,
  asked_at: 0,
  ask_at: 0,
  attempt: 0,
};

export interface DnsWishesParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly outbox: Outbox<NodeMessage>;
  readonly hostnames: () => readonly string[];
  /** Of the whole fleet; empty: each node has those of its relays. */
  readonly fleetAddresses: readonly string[];
  readonly retentionMs: number;
  /** The accounts by which the edge orders for nodes; undefined while they are not known. May throw. */
  readonly fetchAccounts: () => Promise<readonly AccountBinding[] | undefined>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Other records are wanted from now on. */
  readonly onChanged: (records: readonly DnsRecord[], before: readonly DnsRecord[]) => void;
}

export class DnsWishes {
  readonly #parts: DnsWishesParts;

  constructor(parts: DnsWishesParts) {
    this.#parts = parts;
  }

  get records(): readonly DnsRecord[] {
    return JSON.parse(this.#row().records) as DnsRecord[];
  }

  /** Of the node's relays, as far as they have been told. */
  get addresses(): readonly string[] {
    const { fleetAddresses } = this.#parts;
    return fleetAddresses.length > 0 ? fleetAddresses : (JSON.parse(this.#row().addresses) as string[]);
  }

  /** The node orders with accounts of its own. */
  get hasOwnAccounts(): boolean {
    return this.#row().own_accounts !== empty.own_accounts;
  }

  /** Within the transaction that has stored the node's new state or other names. */
  follow({ node, state }: NodeRecord): void {
    const { clock, retentionMs } = this.#parts;
    const row = this.#row();
    const ends_at = decideEnd(state, row.ends_at ?? undefined, { now: clock.now(), retentionMs }) ?? null;
    this.#store(node, { ...row, ends_at });
  }

  setAddresses(node: NodeRecord["node"], addresses: readonly string[]): void {
    this.#store(node, { ...this.#row(), addresses: JSON.stringify(addresses) });
  }

  /** None: the edge orders for the node, with its own. */
  setOwnAccounts(node: NodeRecord["node"], accounts: readonly AccountBinding[]): void {
    this.#store(node, { ...this.#row(), own_accounts: JSON.stringify(accounts) });
  }

  /** All of its records are to go now. */
  end(node: NodeRecord["node"]): void {
    this.#store(node, { ...this.#row(), ends_at: this.#parts.clock.now() });
  }

  /** An order depends on them: what the edge's accounts are now is asked for at once. Never rejects. */
  async checkAccounts({ node }: NodeRecord): Promise<void> {
    const accounts = await this.#fetchAccounts();
    if (accounts) this.#store(node, { ...this.#row(), edge_accounts: JSON.stringify(accounts) });
  }

  /** What is due: records at the end of their time, accounts to be asked for. */
  async lookDue({ node, state }: NodeRecord): Promise<void> {
    const now = this.#parts.clock.now();
    const row = this.#row();
    if (row.ends_at !== null && row.ends_at <= now) this.#store(node, row);
    if (state === "up" && askAtOf(row, now) <= now) await this.#ask(node);
  }

  nextDue(up: boolean): number | undefined {
    const row = this.#row();
    const due = [
      row.ends_at !== null && row.records !== empty.records ? row.ends_at : Infinity,
      up ? askAtOf(row, this.#parts.clock.now()) : Infinity,
    ];
    const next = Math.min(...due);
    return next === Infinity ? undefined : next;
  }

  async #ask(node: NodeRecord["node"]): Promise<void> {
    const { clock, random } = this.#parts;
    const accounts = await this.#fetchAccounts();
    const now = clock.now();
    const row = { ...this.#row(), asked_at: now };
    if (!accounts) {
      const waitMs = decideBackoffMs(row.attempt, { ...askBackoff, random });
      this.#write({ ...row, ask_at: now + waitMs, attempt: row.attempt + 1 });
    } else this.#store(node, { ...row, edge_accounts: JSON.stringify(accounts), ask_at: now + askAgainMs, attempt: 0 });
  }

  async #fetchAccounts(): Promise<readonly AccountBinding[] | undefined> {
    try {
      return await this.#parts.fetchAccounts();
    } catch (error) {
      this.#parts.log.warn("accounts.unread", { error: errorText(error) });
      return undefined;
    }
  }

  /** Together with the message to the zone's object when other records follow from it. */
  #store(node: NodeRecord["node"], row: Row): void {
    const { outbox, onChanged, clock } = this.#parts;
    const wanted = row.ends_at !== null && row.ends_at <= clock.now() ? [] : this.#recordsOf(row);
    const records = JSON.stringify(wanted);
    if (records === row.records) {
      this.#write(row);
      return;
    }
    const revision = row.revision + 1;
    this.#write({ ...row, records, revision });
    outbox.put("dns", { kind: "dns", publication: { node, revision, records: wanted } }, revision);
    onChanged(wanted, JSON.parse(row.records) as DnsRecord[]);
  }

  #recordsOf({ addresses, own_accounts, edge_accounts }: Row): DnsRecord[] {
    const { fleetAddresses, hostnames } = this.#parts;
    const own = JSON.parse(own_accounts) as AccountBinding[];
    const edge = edge_accounts === null ? undefined : (JSON.parse(edge_accounts) as AccountBinding[]);
    return decideRecords({
      hostnames: hostnames(),
      addresses: fleetAddresses.length > 0 ? fleetAddresses : (JSON.parse(addresses) as string[]),
      accounts: own.length > 0 ? own : edge,
    });
  }

  #row(): Row {
    return this.#parts.sql.exec<Row>("SELECT * FROM dns").toArray()[0] ?? empty;
  }

  #write(row: Row): void {
    if (JSON.stringify(row) === JSON.stringify(this.#row())) return;
    this.#parts.sql.exec(
      "INSERT OR REPLACE INTO dns VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.revision,
      row.addresses,
      row.records,
      row.ends_at,
      row.own_accounts,
      row.edge_accounts,
      row.asked_at,
      row.ask_at,
      row.attempt,
    );
  }
}

/** One that was set in what is now the future, because the clock has gone back, is due now. */
function askAtOf({ ask_at, asked_at }: Row, now: number): number {
  return asked_at > now ? now : (ask_at ?? Infinity);
}
