import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Batches } from "../../../tee-bot/store/batches.ts";
import { openStore } from "../../../tee-bot/store/open-store.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { recordingLog } from "../support/log.ts";

let stack: DisposableStack;
let store: DatabaseSync;
let log: ReturnType<typeof recordingLog>;
let batches: Batches;
beforeEach(() => {
  stack = new DisposableStack();
  const path = join(stack.use(temporaryFolder()).path, "a.sqlite");
  log = recordingLog();
  store = stack.adopt(openStore({ path, steps: ["CREATE TABLE a (x)"], log }), (one) => one.close());
  batches = stack.use(new Batches({ store, log, everyMs: 20 }));
});
afterEach(() => stack.dispose());
const count = (): number => Number(store.prepare("SELECT count(*) AS n FROM a").get()?.["n"]);

/** Writes numbers, some in a turn. */
function numbers(waiting: number[], perTurn = 2) {
  let writing = 0;
  return {
    waiting,
    write: () => {
      writing = Math.min(perTurn, waiting.length);
      for (const x of waiting.slice(0, writing)) store.prepare("INSERT INTO a VALUES (?)").run(x);
      return waiting.length > writing;
    },
    written: () => void waiting.splice(0, writing),
  };
}

describe("batches", () => {
  it("write what several have, soon after one of them said so, however many turns it takes", async () => {
    const [one, two] = [numbers([1, 2, 3, 4, 5]), numbers([6])];
    batches.add(one);
    batches.add(two);
    expect(count()).toBe(0);
    batches.touch();
    batches.touch();
    await until(() => count() === 6, 2_000, "all is written");
    expect([one.waiting, two.waiting]).toEqual([[], []]);
  });

  it("write a turn's worth at once when so much waits, and hurry no more while the disk fails", async () => {
    const slow = stack.use(new Batches({ store, log, everyMs: 60_000 }));
    const writer = numbers([1, 2, 3]);
    let broken = false;
    let attempts = 0;
    slow.add(writer);
    slow.add({
      write: () => {
        attempts++;
        if (broken) throw new Error("database or disk is full");
        return false;
      },
      written: () => {},
    });
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    slow.hurry();
    slow.hurry();
    await turn();
    expect([attempts, writer.waiting]).toEqual([1, [3]]);
    broken = true;
    slow.hurry();
    await turn();
    slow.hurry();
    await turn();
    expect([attempts, writer.waiting]).toEqual([2, [3]]);
    broken = false;
  });

  it("write what is left when they end", () => {
    batches.add(numbers([1, 2, 3]));
    batches.touch();
    batches[Symbol.dispose]();
    expect(count()).toBe(3);
  });

  it("lose nothing when the disk fails for a while, and tell of it once", async () => {
    const writer = numbers([1, 2, 3]);
    let broken = true;
    let attempts = 0;
    batches.add(writer);
    batches.add({
      write: () => {
        attempts++;
        if (broken) throw new Error("database or disk is full");
        return false;
      },
      written: () => {},
    });
    batches.touch();
    await until(() => attempts >= 3, 2_000, "it is tried again");
    expect(count()).toBe(0);
    expect(writer.waiting).toEqual([1, 2, 3]);
    expect(log.events).toEqual([
      { level: "error", event: "store.failed", fields: { error: "database or disk is full" } },
    ]);
    expect(batches.flush()).toBe(false);
    broken = false;
    await until(() => count() === 3, 2_000, "it is written after all");
  });
});
