/** A DNS provider in memory that fails when a test asks for it. It outlives the object that uses it. */
import {
  ProviderError,
  type DnsProvider,
  type NewRecord,
  type RecordChanges,
  type RecordPage,
  type StoredRecord,
} from "../../../workers/dns/provider.ts";
import { keyOf } from "../../../workers/dns/zone.ts";
import { clock } from "./controls.ts";

const pageSize = 50;

export interface PlannedFault {
  readonly error: ProviderError;
  /** Whether the batch was applied all the same. */
  readonly applied: boolean;
}

export class ZoneProvider implements DnsProvider {
  maxBatch = 200;
  quota = Number.POSITIVE_INFINITY;
  /** How long a record that was made or deleted is not shown as such. */
  lagMs = 0;
  refuses: (record: NewRecord) => boolean = () => false;
  /** Says that it has the record, which it does not show. */
  denies: (record: NewRecord) => boolean = () => false;
  /** What the next calls of `apply` meet. */
  readonly faults: PlannedFault[] = [];
  /** What every call meets while it is set. */
  outage: ProviderError | undefined;
  readonly batches: RecordChanges[] = [];
  /** Names that were looked at, and pages that were read. */
  readonly reads: string[] = [];
  #records: StoredRecord[] = [];
  #history: { at: number; records: StoredRecord[] }[] = [];
  #serial = 0;

  get records(): readonly StoredRecord[] {
    return this.#records;
  }

  /** `name type content`, sorted. */
  get lines(): string[] {
    return this.#records.map(({ name, type, content }) => `${name} ${type} ${content}`).toSorted();
  }

  /** By hand. */
  add(record: Omit<NewRecord, "comment" | "ttl"> & { comment?: string; ttl?: number }): StoredRecord {
    const made = { ttl: 60, comment: "", ...record, id: this.#nextId() };
    this.#set([...this.#records, made]);
    return made;
  }

  edit(id: string, change: Partial<StoredRecord>): void {
    this.#set(this.#records.map((record) => (record.id === id ? Object.assign({}, record, change) : record)));
  }

  /** By hand. */
  delete(matches: (record: StoredRecord) => boolean): void {
    this.#set(this.#records.filter((record) => !matches(record)));
  }

  at(name: string): Promise<readonly StoredRecord[]> {
    this.reads.push(name);
    return this.#answer(() => this.#shown().filter((record) => record.name === name));
  }

  page(cursor: string | undefined): Promise<RecordPage> {
    this.reads.push(`page ${cursor ?? "0"}`);
    return this.#answer(() => {
      const from = Number(cursor ?? 0);
      const shown = this.#shown();
      const next = from + pageSize;
      return { records: shown.slice(from, next), next: next < shown.length ? String(next) : undefined };
    });
  }

  apply(changes: RecordChanges): Promise<readonly StoredRecord[]> {
    this.batches.push(changes);
    return this.#answer(() => {
      const fault = this.faults.shift();
      if (fault && !fault.applied) throw fault.error;
      const made = this.#apply(changes);
      if (fault) throw fault.error;
      return made;
    });
  }

  async #answer<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (this.outage) throw this.outage;
    return work();
  }

  #apply({ deletes, posts }: RecordChanges): StoredRecord[] {
    if (deletes.length + posts.length > this.maxBatch) throw new ProviderError("refused", "The batch is too large.");
    const missing = deletes.find((id) => !this.#records.some((record) => record.id === id));
    if (missing !== undefined) throw new ProviderError("conflict", "Record does not exist.");
    const records = this.#records.filter(({ id }) => !deletes.includes(id));
    const made: StoredRecord[] = [];
    for (const post of posts) {
      if (this.refuses(post)) throw new ProviderError("refused", `It will not take ${post.content}.`);
      if (this.denies(post) || records.some((record) => record.name === post.name && keyOf(record) === keyOf(post)))
        throw new ProviderError("conflict", "An identical record already exists.");
      if (records.length >= this.quota) throw new ProviderError("quota", "Record quota exceeded.");
      const record = { ...post, id: this.#nextId() };
      records.push(record);
      made.push(record);
    }
    this.#set(records);
    return made;
  }

  #shown(): StoredRecord[] {
    const moment = clock.now() - this.lagMs;
    return this.#history.findLast(({ at }) => at <= moment)?.records ?? (this.lagMs === 0 ? this.#records : []);
  }

  #set(records: StoredRecord[]): void {
    this.#records = records;
    this.#history.push({ at: clock.now(), records });
  }

  #nextId(): string {
    return `record-${++this.#serial}`;
  }
}

const providers = new Map<string, ZoneProvider>();

/** The one of an object of `ZONES`. */
export function providerOf(object: DurableObjectId): ZoneProvider {
  const key = object.toString();
  const held = providers.get(key) ?? new ZoneProvider();
  providers.set(key, held);
  return held;
}
