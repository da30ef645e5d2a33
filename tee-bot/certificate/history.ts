/** What became of this node's orders, newest last, for `postern cert history`. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";

export const maxHistoryEntries = 50;

export const historyEntrySchema = z.object({
  /** Milliseconds since the Unix epoch. */
  at: z.int(),
  outcome: z.enum(["issued", "failed"]),
  /** Why it was ordered. */
  reason: z.string(),
  issuer: z.string().nullable(),
  /** Hexadecimal. */
  serial: z.string().nullable(),
  notAfter: z.int().nullable(),
  words: z.string(),
  /** How often the same has happened in a row; `at` is the last time. */
  times: z.int(),
});
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

const historySchema = z.object({ version: z.literal(1), entries: z.array(historyEntrySchema) });

export class CertificateHistory {
  readonly #path: string;
  readonly #log: Log;
  #entries: readonly HistoryEntry[];

  constructor({ path, log }: { path: string; log: Log }) {
    this.#path = path;
    this.#log = log;
    this.#entries = readHistory(path);
  }

  get last(): HistoryEntry | undefined {
    return this.#entries.at(-1);
  }

  add(entry: Omit<HistoryEntry, "times">): void {
    this.#entries = withEntry(this.#entries, entry);
    try {
      writeFileAtomic(this.#path, JSON.stringify({ version: 1, entries: this.#entries }));
    } catch (error) {
      this.#log.warn("history.unsaved", { error: errorText(error) });
    }
  }
}

/** The entries at `path`; none when there is no such file, or it is damaged. */
export function readHistory(path: string): readonly HistoryEntry[] {
  try {
    return historySchema.parse(JSON.parse(readFileSync(path, "utf8"))).entries;
  } catch {
    return [];
  }
}

/** A failure that repeats the last one only counts it up, so that an outage of a week does not fill the history. */
function withEntry(entries: readonly HistoryEntry[], entry: Omit<HistoryEntry, "times">): readonly HistoryEntry[] {
  const last = entries.at(-1);
  const repeats =
    last?.outcome === "failed" &&
    entry.outcome === "failed" &&
    last.words === entry.words &&
    last.reason === entry.reason;
  if (repeats) return [...entries.slice(0, -1), { ...entry, times: last.times + 1 }];
  return [...entries, { ...entry, times: 1 }].slice(-maxHistoryEntries);
}
