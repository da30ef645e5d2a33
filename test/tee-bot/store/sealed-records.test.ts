import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSealedRecords, type OpenSealedRecordsOptions } from "../../../tee-bot/store/open-sealed-records.ts";
import type { RecordForm, Refusal, SealedRecords } from "../../../tee-bot/store/sealed-records.ts";
import { systemClock } from "../../../shared/clock.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { recordingLog } from "../support/log.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** Times: a record lives until the latest of them, and 0 is over at once. */
const form: RecordForm<readonly number[]> = {
  empty: [],
  refresh: (record) => (record.includes(0) ? record.filter((one) => one !== 0) : record),
  expiresAt: (record) => (record.length === 0 ? undefined : Math.max(...record)),
  encode: (record) => Buffer.from(JSON.stringify(record)),
  parse: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as number[],
};

let stack: DisposableStack;
let options: OpenSealedRecordsOptions<readonly number[]>;
let clock: ManualClock;
let refused: [Refusal, string | undefined][];
beforeEach(() => {
  stack = new DisposableStack();
  clock = new ManualClock(1_000);
  refused = [];
  options = {
    folder: stack.use(temporaryFolder()).path,
    mode: "durable",
    storageKey: randomBytes(32),
    names: { schema: "numbers/v1", valuesFile: "numbers.sqlite", epochsFile: "epochs.sqlite", redisPrefix: "numbers:" },
    form,
    clock,
    log: recordingLog(),
    onRefused: (refusal, _, name) => refused.push([refusal, name]),
  };
});
afterEach(() => stack.dispose());
const open = (more: Partial<typeof options> = {}): SealedRecords<readonly number[]> =>
  stack.use(openSealedRecords({ ...options, ...more }));
const add =
  (number: number) =>
  (record: readonly number[]): readonly number[] => [...record, number];

describe("sealed records", () => {
  it("are empty until they are changed, and tell what they were before", async () => {
    const records = open();
    expect(await records.read("a")).toBe(form.empty);
    expect(await records.change("a", add(5_000))).toEqual({ before: [], after: [5_000] });
    expect(await records.change("a", add(6_000))).toEqual({ before: [5_000], after: [5_000, 6_000] });
    expect(await records.read("b")).toEqual([]);
  });

  it("are changed one after the other, also by several processes, and no change is lost", async () => {
    const stores = [open({ clock: systemClock }), open({ clock: systemClock })];
    const later = Date.now() + 60_000;
    await Promise.all(Array.from({ length: 40 }, (_, n) => stores[n % 2]!.change("a", add(later + n))));
    expect(new Set(await stores[0]!.read("a")).size).toBe(40);
  });

  it("lose what is over as soon as anybody looks, and all of it when it expires", async () => {
    const records = open();
    await records.change("a", () => [0, 3_000]);
    expect(await records.read("a")).toEqual([3_000]);
    clock.advance(2_000);
    expect(await records.read("a")).toEqual([]);
    expect(refused).toEqual([]);
  });

  it("can be changed all, whosever they are", async () => {
    const records = open();
    for (const name of ["a", "b", "c"]) await records.change(name, add(5_000));
    const seen = [];
    for await (const changed of records.changeAll(add(6_000))) seen.push(changed);
    expect(seen).toEqual(Array.from({ length: 3 }, () => ({ before: [5_000], after: [5_000, 6_000] })));
    expect(await records.read("b")).toEqual([5_000, 6_000]);
  });

  it("of another schema or key are nothing to each other in one file", async () => {
    await open().change("a", add(5_000));
    expect(await open({ names: { ...options.names, schema: "other/v1" } }).read("a")).toEqual([]);
    expect(await open({ storageKey: randomBytes(32) }).read("a")).toEqual([]);
    expect(await open().read("a")).toEqual([5_000]);
    expect(refused).toEqual([]);
  });

  it("that are ephemeral are gone with their key, and leave no file of epochs", async () => {
    const first = open({ mode: "ephemeral" });
    await first.change("a", add(5_000));
    first[Symbol.dispose]();
    expect(await open({ mode: "ephemeral" }).read("a")).toEqual([]);
    expect(existsSync(join(options.folder, "epochs.sqlite"))).toBe(false);
  });
});
