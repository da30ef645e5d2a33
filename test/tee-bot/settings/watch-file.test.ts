import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { watchFile } from "../../../tee-bot/settings/watch-file.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { recordingLog } from "../support/log.ts";

let stack: DisposableStack;
let folder: string;
let changes: number;
beforeEach(() => {
  stack = new DisposableStack();
  folder = stack.use(temporaryFolder()).path;
  changes = 0;
});
afterEach(() => stack.dispose());

const path = (): string => join(folder, "postern.yaml");
const rare = 600_000;
const log = recordingLog();
function watch(pollMs = rare, file = path()): void {
  stack.use(watchFile({ path: file, onChange: () => void (changes += 1), log, pollMs }));
}
const changed = (times: number) => until(() => changes === times, 5_000, `${times} change(s), not ${changes}`);
const quiet = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 300));
};

describe("a file that is watched", () => {
  it("tells that it was written, replaced, taken away and put there", async () => {
    writeFileSync(path(), "a");
    watch();
    writeFileSync(path(), "bb");
    await changed(1);
    writeFileSync(`${path()}.new`, "cc");
    renameSync(`${path()}.new`, path());
    await changed(2);
    unlinkSync(path());
    await changed(3);
    writeFileSync(path(), "d");
    await changed(4);
  });

  it("tells once of many writes in a row, and nothing of its neighbours", async () => {
    writeFileSync(path(), "a");
    watch();
    for (let i = 0; i < 20; i++) writeFileSync(path(), "x".repeat(i));
    writeFileSync(join(folder, "gateway.sqlite"), "x");
    await changed(1);
    await quiet();
    expect(changes).toBe(1);
    writeFileSync(join(folder, "gateway.sqlite"), "y");
    writeFileSync(join(folder, "..data"), "y");
    await quiet();
    expect(changes).toBe(1);
  });

  it("tells that the folder it is linked from was exchanged, as a ConfigMap is", async () => {
    for (const [name, text] of [
      ["..1", "a"],
      ["..2", "b"],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "postern.yaml"), text);
    }
    symlinkSync("..1", join(folder, "..data"));
    symlinkSync("..data/postern.yaml", path());
    watch();
    symlinkSync("..2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    await changed(1);
  });

  it("is looked at from time to time where nothing is told, even when its folder comes later", async () => {
    const late = join(folder, "late", "postern.yaml");
    watch(50, late);
    expect(log.events).toContainEqual(expect.objectContaining({ event: "watch.refused" }));
    mkdirSync(join(folder, "late"));
    writeFileSync(late, "a");
    await changed(1);
    utimesSync(late, 1, 1);
    await changed(2);
  });

  it("says nothing any more once it is let go", async () => {
    writeFileSync(path(), "a");
    watch(20);
    writeFileSync(path(), "bb");
    stack.dispose();
    stack = new DisposableStack();
    await quiet();
    expect(changes).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });
});
