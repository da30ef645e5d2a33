/**
 * Records in a store that is not trusted: each is one sealed value. Whoever has the store can neither read nor change
 * one, nor put it in another's place; an older state that is put back is noticed as far as `Epochs` remembers. What
 * it can do is lose them.
 */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Epochs } from "./epochs.ts";
import type { Seal } from "./seal.ts";
import { TurnByName } from "./turn-by-name.ts";
import type { KeptValue, ValueStore } from "./value-store.ts";

/** What the records of one kind have in common. */
export interface RecordForm<T> {
  /** Stands where there is no record. */
  readonly empty: T;
  /** Without what is over by now; the same value where nothing is. */
  refresh(record: T, now: number): T;
  /** When all of it is over; undefined: there is nothing to keep. */
  expiresAt(record: T): number | undefined;
  encode(record: T): Uint8Array;
  /** Takes what `encode` has made. */
  parse(bytes: Uint8Array): T;
}

/**
 * Why a stored record was not believed, and begun anew: it is older than what was seen before (`rolled-back`), or was
 * not sealed here (`forged`).
 */
export type Refusal = "rolled-back" | "forged";

export interface SealedRecordsOptions<T> {
  values: ValueStore;
  seal: Seal;
  epochs: Epochs;
  form: RecordForm<T>;
  clock: Clock;
  /** Told once; the name is unknown where a record was found by its tag. */
  onRefused: (refusal: Refusal, tag: string, name: string | undefined) => void;
}

/** A record as it was, without what was over, and as it is now: the same value where nothing was changed. */
export interface Changed<T> {
  readonly before: T;
  readonly after: T;
}

/** Others change the same record in between at most so often. */
const maxAttempts = 60;
const longestPauseMs = 40;

/** Where a record is kept, and its name where that is known. */
interface Place {
  readonly tag: string;
  readonly name?: string;
}

/** A record as it was found, with what it takes to replace it. */
interface Found<T> {
  readonly record: T;
  readonly value: Uint8Array | undefined;
  readonly epoch: number;
  readonly expiresAt: number;
}

export class SealedRecords<T> implements Disposable {
  readonly #options: SealedRecordsOptions<T>;
  readonly #turns = new TurnByName();

  constructor(options: SealedRecordsOptions<T>) {
    this.#options = options;
  }

  /** What is over is taken out of the store as soon as anybody looks. */
  async read(name: string): Promise<T> {
    return (await this.change(name, (record) => record)).after;
  }

  /** `change` may be called again, on what another process has made of the record meanwhile. */
  change(name: string, change: (record: T) => T): Promise<Changed<T>> {
    return this.#change({ tag: this.#options.seal.tagOf(name), name }, change);
  }

  /** Changes every record there is, one after the other, since the store cannot tell whose they are. */
  async *changeAll(change: (record: T) => T): AsyncIterable<Changed<T>> {
    const { values, seal } = this.#options;
    for await (const tag of values.tags(seal.tagBeginning)) yield await this.#change({ tag }, change);
  }

  [Symbol.dispose](): void {
    this.#options.values[Symbol.dispose]();
    this.#options.epochs[Symbol.dispose]();
  }

  /** One change at a time here; when another process comes in between, it is made again on what that has left. */
  #change(place: Place, change: (record: T) => T): Promise<Changed<T>> {
    const { values, epochs, form, clock } = this.#options;
    return this.#turns.run(place.tag, async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const found = await this.#read(place);
        const before = form.refresh(found.record, clock.now());
        const after = change(before);
        if (after === found.record) return { before, after };
        const epoch = Math.max(found.epoch + 1, clock.now()); // grows also where nothing is known of earlier ones
        const kept = this.#seal(place.tag, after, epoch);
        if (await values.replace(place.tag, found.value, kept)) {
          const until = Math.max(kept?.dropAt ?? 0, found.expiresAt);
          epochs.saw(place.tag, { epoch, until }, clock.now());
          return { before, after };
        }
        await clock.sleep(Math.random() * longestPauseMs);
      }
      throw new AppError("overloaded", "What is kept of this is being changed elsewhere all the time. Try again.");
    });
  }

  #seal(tag: string, record: T, epoch: number): KeptValue | undefined {
    const { seal, form } = this.#options;
    const expiresAt = form.expiresAt(record);
    if (expiresAt === undefined) return undefined;
    return { bytes: seal.seal(tag, { epoch, expiresAt, content: form.encode(record) }), dropAt: expiresAt };
  }

  async #read(place: Place): Promise<Found<T>> {
    const { values, seal, epochs, form, clock, onRefused } = this.#options;
    const newestEpoch = epochs.newest(place.tag); // before the value, which another process may renew at any time
    const value = await values.read(place.tag);
    const nothing = { record: form.empty, expiresAt: 0 };
    if (!value) return { ...nothing, value, epoch: newestEpoch };
    const opened = seal.open(place.tag, value, { newestEpoch, now: clock.now() });
    if (opened.state === "open") {
      const { epoch, expiresAt, content } = opened;
      if (epoch > newestEpoch) epochs.saw(place.tag, { epoch, until: expiresAt }, clock.now());
      return { record: form.parse(content), value, epoch, expiresAt };
    }
    await values.replace(place.tag, value, undefined); // so that it is told once
    if (opened.state !== "expired") onRefused(opened.state, place.tag, place.name);
    return { ...nothing, value: undefined, epoch: newestEpoch };
  }
}
