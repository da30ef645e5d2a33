/**
 * Brings the names that are due to what is wanted there, batch by batch and one at a time. What a batch is about is
 * noted before it is sent; whatever is not certain afterwards is looked up before it is compared again.
 */
import { ProviderError, type DnsProvider, type StoredRecord } from "./provider.ts";
import { troubleOf } from "./trouble.ts";
import { decideActual, decideChanges, keyOf, readLagMs, splitChanges, takeBatch, type Change } from "./zone.ts";
import type { ZoneGate } from "./zone-gate.ts";
import type { ZoneStore } from "./zone-store.ts";
import type { NameWork, ZoneWork } from "./zone-work.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";

/** Names that are considered at once; enough to fill the largest batch. */
const maxNamesPerRound = 500;
/** Rounds of one flush; the alarm goes on. */
const maxRounds = 100;
/** When more names are unsure, reading the whole zone costs less than looking at each. */
const maxLookups = 5;
const refusalBackoff = { baseMs: 60_000, maxMs: 60 * 60_000 };
const conflictBackoff = { baseMs: 1_000, maxMs: 5 * 60_000 };
/** So many in a row may come from a provider that shows late what it was told. */
const patientConflicts = 3;
/** A challenge does not wait as long as an address for room in a full zone. */
const urgentQuotaPauseMs = 60_000;

export interface ZoneWriterParts {
  readonly store: ZoneStore;
  readonly work: ZoneWork;
  readonly gate: ZoneGate;
  readonly provider: DnsProvider;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly transaction: (write: () => void) => void;
  /** The whole zone is to be read soon, which settles what is unsure. */
  readonly readZone: () => void;
}

export class ZoneWriter {
  readonly #parts: ZoneWriterParts;
  /** Ids removed a moment ago, which the provider may still show; when. */
  readonly #removed = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #tail: Promise<void> = Promise.resolve();

  constructor(parts: ZoneWriterParts) {
    this.#parts = parts;
  }

  /** Writes what is due, until nothing is or the provider has to be left alone. Never throws for a failed call. */
  flush(): Promise<void> {
    const flushed = this.#tail.then(() => this.#flush());
    this.#tail = flushed.catch(() => {}); // the caller is told; the next flush has nothing to do with it
    return flushed;
  }

  /** Resolves after the next round. */
  nextRound(): Promise<void> {
    return new Promise((resolve) => this.#listeners.add(resolve));
  }

  /** When there is something to do that can be done. */
  nextDue(): number | undefined {
    const due = this.#parts.work.nextDue();
    return due === undefined ? undefined : Math.max(due, this.#parts.gate.opensAt);
  }

  /** Records that a listing or a look-up still shows although they were removed. */
  get recentlyRemoved(): ReadonlySet<string> {
    const { clock } = this.#parts;
    for (const [id, at] of this.#removed) if (at <= clock.now() - readLagMs) this.#removed.delete(id);
    return new Set(this.#removed.keys());
  }

  async #flush(): Promise<void> {
    for (let round = 0; round < maxRounds; round++) {
      const progress = await this.#round();
      for (const tell of this.#listeners) tell();
      this.#listeners.clear();
      if (!progress) return;
    }
  }

  /** Whether something was done, so that another round is worth while. */
  async #round(): Promise<boolean> {
    const { work, gate, clock, provider } = this.#parts;
    if (!gate.isOpen) return false;
    const due = work.due(clock.now(), maxNamesPerRound);
    const unsure = due.filter(({ unsureAt }) => unsureAt !== undefined);
    const certain = due.filter(({ unsureAt }) => unsureAt === undefined);
    const changes = certain.map((row) => this.#changesAt(row)).filter((ofName) => ofName.length > 0);
    const batch = takeBatch(changes, provider.maxBatch);
    if (batch.length > 0) await this.#send(batch);
    const looked = await this.#lookUp(unsure);
    return looked || certain.length > 0;
  }

  /** What can be done now at a name; what cannot is put off, and a name with nothing to do is settled. */
  #changesAt({ name, urgent }: NameWork): Change[] {
    const { store, work, gate, clock } = this.#parts;
    const now = clock.now();
    const wanted = store.wantedAt(name);
    const changes = decideChanges(name, { wanted, actual: store.actualAt(name), mark: store.mark });
    const missing = new Set(changes.flatMap(({ add }) => (add ? [keyOf(add)] : [])));
    work.dropRefusals(name, (key) => !missing.has(key));
    const putOff = new Map(
      work.refusalsAt(name).flatMap(({ key, dueAt }) => (dueAt > now ? [[key, dueAt] as const] : [])),
    );
    const waits = (change: Change): number | undefined => {
      if (!change.add) return undefined;
      const full = !urgent && change.remove === undefined && gate.quotaUntil > now;
      return full ? gate.quotaUntil : putOff.get(keyOf(change.add));
    };
    const possible = changes.filter((change) => waits(change) === undefined);
    const later = changes.flatMap((change) => waits(change) ?? []);
    if (possible.length === 0)
      if (later.length > 0) work.postpone(name, Math.min(...later));
      else work.settle(name);
    return possible;
  }

  async #send(changes: Change[]): Promise<void> {
    const { gate, provider, log, clock } = this.#parts;
    if (changes.length === 0 || !gate.isOpen) return; // what is left stays due
    gate.takeOff(changes.map(({ name }) => name));
    const started = clock.now();
    try {
      const made = await provider.apply({
        deletes: changes.flatMap(({ remove }) => remove ?? []),
        posts: changes.flatMap(({ add }) => add ?? []),
      });
      this.#takeMade(changes, made);
      log.info("batch.applied", { changes: changes.length, ms: clock.now() - started });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      await this.#takeFailure(changes, error);
    }
  }

  #takeMade(changes: readonly Change[], made: readonly StoredRecord[]): void {
    const { store, gate, clock, transaction } = this.#parts;
    const now = clock.now();
    const names = new Set(changes.map(({ name }) => name));
    transaction(() => {
      gate.land();
      for (const { remove } of changes)
        if (remove !== undefined) {
          store.dropActual(remove);
          this.#removed.set(remove, now);
        }
      for (const record of made) store.putActual(record, now);
      for (const name of names) this.#settleIfDone(name);
    });
  }

  #settleIfDone(name: string): void {
    const { store, work } = this.#parts;
    const changes = decideChanges(name, {
      wanted: store.wantedAt(name),
      actual: store.actualAt(name),
      mark: store.mark,
    });
    if (changes.length > 0) return; // came meanwhile, or waits
    work.dropRefusals(name, () => true);
    work.settle(name);
  }

  async #takeFailure(changes: Change[], error: ProviderError): Promise<void> {
    const { work, gate, clock, log } = this.#parts;
    const names = [...new Set(changes.map(({ name }) => name))];
    log.warn("batch.failed", { kind: error.kind, changes: changes.length, error: error.message });
    switch (error.kind) {
      case "unavailable":
        gate.block(error);
        work.markUnsure(names, { now: clock.now() });
        return;
      case "rate-limited":
      case "unauthorized":
        gate.block(error);
        return;
      case "conflict":
        gate.land();
        return this.#takeConflict(changes, names, error);
      case "quota":
      case "refused":
        gate.land();
        return this.#takeRefusal(changes, error);
    }
  }

  /** The names are looked at again, later each time; when that does not help, the one in the way is searched for. */
  async #takeConflict(changes: Change[], names: string[], error: ProviderError): Promise<void> {
    const { store, work, clock, random } = this.#parts;
    const now = clock.now();
    // One of them may be gone already, by a batch whose answer was lost.
    for (const { remove } of changes) if (remove !== undefined) store.doubtActual(remove);
    const attempt = Math.max(...names.map((name) => work.at(name)?.attempt ?? 0));
    const isStubborn = attempt >= patientConflicts;
    const halves = isStubborn ? splitChanges(changes) : undefined;
    if (halves) {
      await this.#send(halves[0]);
      return this.#send(halves[1]);
    }
    const waitMs = attempt === 0 ? 0 : decideBackoffMs(attempt - 1, { ...conflictBackoff, random });
    work.markUnsure(names, { now, dueAt: now + waitMs });
    for (const name of names) work.countConflict(name, attempt + 1);
    const record = changes[0]?.add;
    if (isStubborn && record) work.refuse(record, { ...troubleOf(error), attempt, dueAt: now + waitMs });
  }

  /** Halves the batch until the record that is refused is alone; that one waits, the others go on. */
  async #takeRefusal(changes: Change[], error: ProviderError): Promise<void> {
    const { work, gate, clock, random } = this.#parts;
    const now = clock.now();
    const isUrgent = ({ name }: Change): boolean => work.at(name)?.urgent === true;
    const grows = (change: Change): boolean => change.remove === undefined && !isUrgent(change);
    const halves = splitChanges(changes);
    if (halves) {
      await this.#send(halves[0]);
      const rest = gate.quotaUntil > now ? halves[1].filter((change) => !grows(change)) : halves[1];
      return this.#send(rest);
    }
    const [change] = changes;
    if (!change) return;
    const full = error.kind === "quota";
    if (full && grows(change)) return gate.hitQuota(error); // the next round puts off all that grows
    const record = change.add;
    // A removal that is refused is looked at again: it may be gone.
    if (!record) return work.markUnsure([change.name], { now, dueAt: now + refusalBackoff.baseMs });
    const attempt = work.refusalsAt(change.name).find(({ key }) => key === keyOf(record))?.attempt ?? 0;
    const waitMs = full ? urgentQuotaPauseMs : decideBackoffMs(attempt, { ...refusalBackoff, random });
    work.refuse(record, { ...troubleOf(error), attempt: attempt + 1, dueAt: now + waitMs });
  }

  async #lookUp(unsure: readonly NameWork[]): Promise<boolean> {
    const { store, work, gate, provider, clock, readZone } = this.#parts;
    if (unsure.length > maxLookups) {
      readZone();
      return false;
    }
    for (const { name } of unsure) {
      if (!gate.isOpen) return false;
      gate.takeOff();
      try {
        const found = await provider.at(name);
        gate.land();
        const known = store.actualAt(name);
        const now = clock.now();
        const actual = decideActual(found, { known, removed: this.recentlyRemoved, now });
        const ids = new Set(actual.map(({ id }) => id));
        for (const record of known) if (!ids.has(record.id)) store.dropActual(record.id);
        for (const record of actual) store.putActual(record, 0);
        work.markSure(name, now);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        gate.block(error);
        return false;
      }
    }
    return unsure.length > 0;
  }
}
