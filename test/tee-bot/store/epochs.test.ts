import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { Epochs } from "../../../tee-bot/store/epochs.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { recordingLog } from "../support/log.ts";

it("epochs never go back, in memory or in a file, and those of a file outlive a restart", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "epochs.sqlite");
  for (const where of [undefined, path]) {
    using epochs = new Epochs({ path: where, log: silentLog });
    expect(epochs.newest("a")).toBe(0);
    epochs.saw("a", { epoch: 5, until: 100 }, 1);
    epochs.saw("a", { epoch: 3, until: 50 }, 1);
    expect([epochs.newest("a"), epochs.newest("b")]).toEqual([5, 0]);
  }
  using again = new Epochs({ path, log: silentLog });
  expect(again.newest("a")).toBe(5);
});

it("epochs go when no value of theirs is good any more", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "epochs.sqlite");
  using epochs = new Epochs({ path, log: silentLog });
  for (let n = 0; n < 3_000; n++) epochs.saw(`tag-${n}`, { epoch: 1, until: n + 10 }, n);
  expect(epochs.newest("tag-0")).toBe(0);
  expect(epochs.newest("tag-2999")).toBe(1);
  expect(readFileSync(path).length).toBeLessThan(400_000);
});

it("epochs that another process keeps from being written are known all the same, and written with the next", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "epochs.sqlite");
  const log = recordingLog();
  using epochs = new Epochs({ path, log });
  using other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  epochs.saw("a", { epoch: 5, until: 100 }, 1);
  expect(epochs.newest("a")).toBe(5);
  expect(log.events.map(({ event }) => event)).toEqual(["epoch.not-written"]);
  other.exec("ROLLBACK");
  epochs.saw("b", { epoch: 6, until: 100 }, 1);
  using reader = new Epochs({ path, log });
  expect([reader.newest("a"), reader.newest("b")]).toEqual([5, 6]);
});
