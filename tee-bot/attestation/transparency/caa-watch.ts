/** Watches the CAA records of names: who could get a certificate, as far as CAs look. */
import { errorText } from "../../../shared/errors.ts";
import type { DnsServer } from "../../../shared/dns/server.ts";
import type { Log } from "../../../shared/log.ts";
import { findCaaOpenings } from "./decide-caa.ts";
import type { KnownKeys } from "./known-keys.ts";
import { lookAtCaa } from "./look-at-caa.ts";
import type { MemoryFile } from "./memory.ts";
import type { Raise } from "./voice.ts";

export interface CaaWatchOptions {
  readonly names: readonly string[];
  readonly resolvers: readonly DnsServer[];
  /** Good for every name, beside those that nodes attest. */
  readonly accounts: readonly string[];
  readonly known: KnownKeys;
  readonly file: MemoryFile;
  readonly raise: Raise;
  readonly report: Log;
}

export class CaaWatch {
  readonly #options: CaaWatchOptions;

  constructor(options: CaaWatchOptions) {
    this.#options = options;
  }

  /** Looks at every name once. False: of some no resolver told. */
  async round(signal: AbortSignal): Promise<boolean> {
    let seen = true;
    for (const name of this.#options.names) {
      signal.throwIfAborted();
      seen = (await this.#look(name)) && seen;
    }
    return seen;
  }

  async #look(name: string): Promise<boolean> {
    const { resolvers, report } = this.#options;
    try {
      this.#compare(name, await lookAtCaa(name, resolvers));
      return true;
    } catch (error) {
      report.warn("caa.unseen", { name, error: errorText(error) });
      return false;
    }
  }

  /** A way in counts as soon as one resolver sees it; a change when none sees what was there before. */
  #compare(name: string, sights: readonly string[][]): void {
    const { file, raise } = this.#options;
    const before = file.memory.caa[name];
    const accounts = this.#accountsOf(name);
    const openings = accounts ? [...new Set(sights.flatMap((records) => findCaaOpenings(records, accounts)))] : [];
    const stands = before && sights.some((records) => same(records, before.records));
    const records = stands ? before.records : (sights[0] ?? []);

    if (openings.length > 0 && !same(openings, before?.openings ?? []))
      raise("caa.open", { name, openings, records: [...new Set(sights.flat())] });
    if (before && !stands) raise("caa.changed", { name, before: before.records, after: records });
    file.memory.caa[name] = { records, openings };
    file.save();
  }

  /** Undefined: nobody said which accounts there may be, so only changes can be told. */
  #accountsOf(name: string): readonly string[] | undefined {
    const { accounts, known } = this.#options;
    const attested = known.accountsOf(name);
    return attested || accounts.length > 0 ? [...accounts, ...(attested ?? [])] : undefined;
  }
}

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, at) => text === other[at]);
