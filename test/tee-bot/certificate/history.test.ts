import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  CertificateHistory,
  maxHistoryEntries,
  readHistory,
  type HistoryEntry,
} from "../../../tee-bot/certificate/history.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { recordingLog } from "../support/log.ts";

let stack: DisposableStack;
let path: string;
beforeEach(() => {
  stack = new DisposableStack();
  path = join(stack.use(temporaryFolder()).path, "history.json");
});
afterEach(() => stack.dispose());

const entry = (at: number, changes: Partial<HistoryEntry> = {}): Omit<HistoryEntry, "times"> => ({
  at,
  outcome: "failed",
  reason: "there is none yet",
  issuer: null,
  serial: null,
  notAfter: null,
  words: "No.",
  ...changes,
});

describe("the history of certificates", () => {
  it("counts a failure that repeats itself, and begins a new entry for anything else", () => {
    const history = new CertificateHistory({ path, log: recordingLog() });
    for (const at of [1, 2, 3]) history.add(entry(at));
    history.add(entry(4, { words: "Still no." }));
    history.add(entry(5, { outcome: "issued" }));
    history.add(entry(6, { outcome: "issued" }));
    expect(readHistory(path).map(({ at, times }) => [at, times])).toEqual([
      [3, 3],
      [4, 1],
      [5, 1],
      [6, 1],
    ]);
    expect(history.last?.at).toBe(6);
  });

  it("keeps the newest entries over a restart, and no more than its limit", () => {
    const history = new CertificateHistory({ path, log: recordingLog() });
    for (let at = 0; at < maxHistoryEntries + 7; at++) history.add(entry(at, { outcome: "issued" }));
    const entries = readHistory(path);
    expect(entries).toHaveLength(maxHistoryEntries);
    expect(entries[0]?.at).toBe(7);
    expect(new CertificateHistory({ path, log: recordingLog() }).last?.at).toBe(maxHistoryEntries + 6);
  });

  it.each(["", "{", "[]", '{"version":2,"entries":[]}'])("begins anew from the damaged file «%s»", (content) => {
    writeFileSync(path, content);
    const history = new CertificateHistory({ path, log: recordingLog() });
    expect(history.last).toBeUndefined();
    history.add(entry(1));
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: 1, entries: [{ at: 1, times: 1 }] });
  });
});
