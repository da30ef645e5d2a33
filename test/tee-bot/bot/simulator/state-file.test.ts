import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StateFile } from "../../../../tee-bot/bot/simulator/state-file.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "state.jsonl");
});
afterEach(() => folder[Symbol.dispose]());

const reopened = () => [...new StateFile(path).table<number>("numbers").values];

describe("the state file", () => {
  it("has each change as soon as it was made, whoever kills the process", () => {
    const numbers = new StateFile(path).table<number>("numbers");
    numbers.put("one", 1);
    numbers.put("two", 2);
    numbers.put("one", 11);
    numbers.delete("two");
    expect(reopened()).toEqual([["one", 11]]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("passes over a line that a crash has torn", () => {
    new StateFile(path).table<number>("numbers").put("one", 1);
    appendFileSync(path, '["numbers","tw');
    expect(reopened()).toEqual([["one", 1]]);
  });

  it("does not grow without end", () => {
    const numbers = new StateFile(path).table<number>("numbers");
    for (let value = 0; value < 45_000; value++) numbers.put("counter", value);
    expect(readFileSync(path, "utf8").split("\n").length).toBeLessThan(21_000);
    expect(reopened()).toEqual([["counter", 44_999]]);
  });

  it("is memory without a path", () => {
    const state = new StateFile();
    state.table<number>("numbers").put("one", 1);
    expect([...state.table<number>("numbers").values]).toEqual([["one", 1]]);
    expect([...state.table<number>("others").values]).toEqual([]);
  });
});
