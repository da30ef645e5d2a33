import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteValues } from "../../../tee-bot/store/sqlite-values.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { recordingLog } from "../support/log.ts";
import { ManualClock } from "../support/manual-clock.ts";

let stack: DisposableStack;
let path: string;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
beforeEach(() => {
  stack = new DisposableStack();
  path = join(stack.use(temporaryFolder()).path, "values.sqlite");
  clock = new ManualClock();
  log = recordingLog();
});
afterEach(() => stack.dispose());
const open = (): SqliteValues => stack.use(new SqliteValues({ path, isDurable: true, clock, log }));
const put = (store: SqliteValues, tag: string, lifeMs = 3_600_000): Buffer => {
  const bytes = randomBytes(300);
  expect(store.replace(tag, undefined, { bytes, dropAt: clock.now() + lifeMs })).toBe(true);
  return bytes;
};
const rows = (): unknown[] => {
  using file = new DatabaseSync(path);
  return file.prepare("SELECT tag FROM sealed").all();
};

describe("a file of sealed values", () => {
  it("can be read by its owner only", () => {
    put(open(), "a");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("loses what may go while others are written, within an hour and a minute", () => {
    const store = open();
    put(store, "old", 1_000);
    clock.advance(60 * 60 * 1000 + 61_000);
    put(store, "new");
    expect(rows()).toEqual([{ tag: "new" }]);
  });

  it("has nothing left of what was removed, not even in its log", () => {
    const store = open();
    const removed = put(store, "a");
    put(store, "b");
    store.replace("a", removed, undefined);
    for (const file of [path, `${path}-wal`]) expect(readFileSync(file).includes(removed.subarray(0, 64))).toBe(false);
  });

  it("is begun anew when it is damaged while it is in use, with what can be read of it", () => {
    const store = open();
    for (let n = 0; n < 200; n++)
      store.replace(`tag-${n}`, undefined, { bytes: randomBytes(30_000), dropAt: clock.now() + 60_000 }); // beyond SQLite's cache
    store.replace("none", undefined, undefined); // empties the log into the file
    const file = readFileSync(path);
    writeFileSync(path, file.fill(0x55, file.length / 2));
    for (let n = 0; n < 200; n++) expect(() => store.read(`tag-${n}`)).not.toThrow();
    const fresh = put(store, "fresh");
    expect(Buffer.from(store.read("fresh")!)).toEqual(fresh);
    expect(log.events.map(({ event }) => event)).toContain("store.moved-aside");
  });

  it("is not changed while another process holds it, and neither waits for long", () => {
    const store = open();
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const bytes = randomBytes(300);
    const write = (): boolean => store.replace("a", undefined, { bytes, dropAt: clock.now() + 1_000 });
    const startedAt = performance.now();
    expect(write()).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(200);
    expect(store.read("a")).toBeUndefined();
    other.exec("ROLLBACK");
    expect(write()).toBe(true);
  });
});
