/**
 * The records of one zone with their history, so that a reader who lags sees the zone as it was. What is written
 * through the Cloudflare stand-in and what DNS answers are the same records.
 */
import { randomBytes } from "node:crypto";

export interface ZoneRecord {
  /** 32 hexadecimal characters, as Cloudflare's. */
  readonly id: string;
  /** Fully qualified, lower case, without the dot at the end. */
  readonly name: string;
  readonly type: string;
  /** As it was written: TXT with or without quotes, CAA as `0 issue "ca.example"`. */
  readonly content: string;
  /** Seconds; 1 is Cloudflare's "automatic". */
  readonly ttl: number;
  readonly proxied: boolean;
  readonly comment: string | null;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export type NewRecord = Pick<ZoneRecord, "name" | "type" | "content"> & Partial<ZoneRecord>;

/** The zone at one moment. */
export interface ZoneView {
  readonly zone: string;
  readonly serial: number;
  /** Every record of this name. */
  at(name: string): ZoneRecord[];
  /** Whether the name or one below it has a record. */
  has(name: string): boolean;
  all(): ZoneRecord[];
}

/** A moment: so long ago, or when the zone had this revision. */
export type Moment = { readonly agoMs: number } | { readonly revision: number };

interface Version {
  readonly record: ZoneRecord;
  readonly since: Change;
  until?: Change;
}

interface Change {
  readonly time: number;
  readonly revision: number;
}

export class ZoneStore {
  readonly zone: string;
  readonly #now: () => number;
  readonly #versions = new Map<string, Version[]>();
  readonly #current = new Map<string, Version>();
  #revision = 1;
  #undo: (() => void)[] | undefined;

  constructor(zone: string, now: () => number = Date.now) {
    this.zone = zone;
    this.#now = now;
  }

  /** Goes up with every change. */
  get revision(): number {
    return this.#revision;
  }

  /** How many records there are now. */
  get size(): number {
    return this.#current.size;
  }

  get(id: string): ZoneRecord | undefined {
    return this.#current.get(id)?.record;
  }

  /** Adds a record as if by hand; names are taken as fully qualified. */
  add(record: NewRecord): ZoneRecord {
    const now = this.#now();
    const added: ZoneRecord = {
      id: randomBytes(16).toString("hex"),
      ttl: 60,
      proxied: false,
      comment: null,
      tags: [],
      createdAt: now,
      modifiedAt: now,
      ...record,
      name: record.name.toLowerCase(),
    };
    this.#begin(added);
    return added;
  }

  /** Puts `record` in place of the one with its id. */
  replace(record: ZoneRecord): void {
    this.#end(record.id);
    this.#begin(record);
  }

  /** False when there is no such record. */
  remove(id: string): boolean {
    return this.#end(id);
  }

  /** Removes the records of a name, those of one type if given; tells how many. */
  removeAt(name: string, type?: string): number {
    const gone = this.now()
      .at(name)
      .filter((record) => type === undefined || record.type === type);
    for (const { id } of gone) this.remove(id);
    return gone.length;
  }

  /** All changes of `work` or, when it throws, none. */
  transaction<T>(work: () => T): T {
    const undo: (() => void)[] = [];
    this.#undo = undo;
    try {
      return work();
    } catch (error) {
      for (const step of undo.toReversed()) step();
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }

  now(): ZoneView {
    return this.view({ agoMs: 0 });
  }

  view(moment: Moment): ZoneView {
    const stands = this.#standing(moment);
    const serial = this.#revision;
    const read = (versions: Iterable<Version>): ZoneRecord[] =>
      [...versions].filter(stands).map(({ record }) => record);
    return {
      zone: this.zone,
      serial,
      at: (name) => read(this.#versions.get(name.toLowerCase()) ?? []),
      has: (name) => {
        const below = `.${name.toLowerCase()}`;
        for (const [other, versions] of this.#versions) {
          if (`.${other}`.endsWith(below) && versions.some(stands)) return true;
        }
        return false;
      },
      all: () => read([...this.#versions.values()].flat()),
    };
  }

  #standing(moment: Moment): (version: Version) => boolean {
    if ("revision" in moment) {
      const { revision } = moment;
      return ({ since, until }) => since.revision <= revision && (until === undefined || until.revision > revision);
    }
    if (moment.agoMs <= 0) return ({ until }) => until === undefined;
    const time = this.#now() - moment.agoMs;
    return ({ since, until }) => since.time <= time && (until === undefined || until.time > time);
  }

  #begin(record: ZoneRecord): void {
    const version = { record, since: { time: this.#now(), revision: ++this.#revision } };
    const others = this.#versions.get(record.name) ?? [];
    this.#versions.set(record.name, [...others, version]);
    this.#current.set(record.id, version);
    this.#undo?.push(() => {
      this.#versions.set(record.name, others);
      this.#current.delete(record.id);
    });
  }

  #end(id: string): boolean {
    const version = this.#current.get(id);
    if (!version) return false;
    version.until = { time: this.#now(), revision: ++this.#revision };
    this.#undo?.push(() => {
      delete version.until;
      this.#current.set(id, version);
    });
    return this.#current.delete(id);
  }
}
