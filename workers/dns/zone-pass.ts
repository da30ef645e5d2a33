/**
 * Reads the whole zone page by page and notes what differs from what is known: deleted or edited by hand, or left from
 * before. What has been seen is kept in memory only, a bit for each record: a pass that is cut short starts over.
 */
import { ProviderError, type DnsProvider, type RecordPage, type StoredRecord } from "./provider.ts";
import { isOurs, readLagMs } from "./zone.ts";
import type { ZoneGate } from "./zone-gate.ts";
import type { KnownRecord, ZoneStore } from "./zone-store.ts";
import type { ZoneWork } from "./zone-work.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";

/** However large the zone is; see {@link decidePauseMs}. */
const maxPauseMs = 15 * 60_000;

export interface ZonePassParts {
  readonly store: ZoneStore;
  readonly work: ZoneWork;
  readonly gate: ZoneGate;
  readonly provider: DnsProvider;
  readonly clock: Clock;
  readonly log: Log;
  /** From the end of one pass to the next, for each page of the zone. */
  readonly reconcileMs: number;
  readonly transaction: (write: () => void) => void;
  /** Ids that may still be shown although they were removed. */
  readonly recentlyRemoved: () => ReadonlySet<string>;
}

export class ZonePass {
  readonly #parts: ZonePassParts;
  #cursor: string | undefined;
  #pages = 0;
  #startedAt: number | undefined;
  #seen = new Bits();
  #differences = 0;

  constructor(parts: ZonePassParts) {
    this.#parts = parts;
  }

  /** Soon, instead of when it is due. */
  request(): void {
    const { gate, clock } = this.#parts;
    if (this.#startedAt !== undefined) return; // another follows when this one has not settled it
    if ((gate.reconcileAt ?? Infinity) > clock.now()) gate.reconcileAt = clock.now();
  }

  nextDue(): number {
    const { gate, clock, reconcileMs } = this.#parts;
    if (gate.reconcileAt === undefined) gate.reconcileAt = clock.now() + reconcileMs;
    return Math.max(gate.reconcileAt, gate.opensAt);
  }

  /** Reads one page if it is due. */
  async step(): Promise<void> {
    const { gate, provider, clock, transaction } = this.#parts;
    if (this.nextDue() > clock.now()) return;
    this.#startedAt ??= clock.now();
    gate.takeOff();
    let page: RecordPage;
    try {
      page = await provider.page(this.#cursor);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      gate.block(error);
      return;
    }
    this.#pages++;
    transaction(() => {
      gate.land();
      for (const record of page.records) this.#take(record);
      if (page.next === undefined) this.#finish();
    });
    this.#cursor = page.next;
  }

  #take(record: StoredRecord): void {
    const { store, work, clock, recentlyRemoved } = this.#parts;
    const now = clock.now();
    const known = store.byId(record.id);
    if (known && isSame(known, record)) return this.#seen.add(known.serial);
    const ours = isOurs(record, store.mark);
    if (!known && (recentlyRemoved().has(record.id) || (!ours && store.wantedAt(record.name).length === 0))) return;
    this.#seen.add(store.putActual(record, 0));
    if (!known && !ours) return; // it is known from now on, and stays as it is
    this.#differences++;
    work.mark(known ? [known.name, record.name] : [record.name], { now });
  }

  #finish(): void {
    const { store, work, gate, clock, log, reconcileMs } = this.#parts;
    const now = clock.now();
    const startedAt = this.#startedAt ?? now;
    const missing = [...store.actual()].filter(
      ({ serial, madeAt }) => !this.#seen.has(serial) && madeAt <= startedAt - readLagMs,
    );
    for (const { id, name } of missing) {
      store.dropActual(id);
      work.mark([name], { now });
    }
    work.markSureBefore(startedAt, now);
    gate.reconcileAt = now + decidePauseMs(reconcileMs, this.#pages);
    const differences = this.#differences + missing.length;
    if (differences > 0) log.warn("zone.differed", { differences });
    this.#startedAt = undefined;
    this.#pages = 0;
    this.#seen = new Bits();
    this.#differences = 0;
  }
}

/** A small zone is looked at often, a large one so that passes stay a small part of the API's budget. */
export function decidePauseMs(reconcileMs: number, pages: number): number {
  return Math.max(reconcileMs, Math.min(reconcileMs * pages, maxPauseMs));
}

function isSame(known: KnownRecord, { name, type, content, ttl, comment }: StoredRecord): boolean {
  return (
    known.name === name &&
    known.type === type &&
    known.content === content &&
    known.ttl === ttl &&
    known.comment === comment
  );
}

/** A set of small numbers. */
class Bits {
  #bytes = new Uint8Array(1024);

  add(number: number): void {
    const at = number >> 3;
    if (at >= this.#bytes.length) {
      const larger = new Uint8Array(Math.max(at + 1, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (number & 7));
  }

  has(number: number): boolean {
    return ((this.#bytes[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }
}
