import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AppError } from "../../../shared/errors.ts";
import { openStore, writeTogether } from "../../../tee-bot/store/open-store.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { recordingLog } from "../support/log.ts";

const steps = ["CREATE TABLE a (x INTEGER NOT NULL) STRICT", "ALTER TABLE a ADD COLUMN y TEXT"];
let stack: DisposableStack;
let path: string;
let log: ReturnType<typeof recordingLog>;
beforeEach(() => {
  stack = new DisposableStack();
  path = join(stack.use(temporaryFolder()).path, "a.sqlite");
  log = recordingLog();
});
afterEach(() => stack.dispose());
const open = (options: Partial<Parameters<typeof openStore>[0]> = {}): DatabaseSync =>
  stack.adopt(openStore({ path, steps, log, ...options }), (store) => store.isOpen && store.close());
const rows = (store: DatabaseSync): unknown[] =>
  store
    .prepare("SELECT x FROM a ORDER BY x")
    .all()
    .map(({ x }) => x);

describe("a store", () => {
  it("is made with mode 0600, with its companions, whatever the mode was before", () => {
    writeFileSync(path, "");
    chmodSync(path, 0o644);
    open().exec("INSERT INTO a (x) VALUES (1)");
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is brought from any version to the newest, keeping what is in it", () => {
    const old = open({ steps: steps.slice(0, 1) });
    old.exec("INSERT INTO a VALUES (1)");
    old.close();
    const store = open();
    store.exec("INSERT INTO a VALUES (2, 'y')");
    expect(rows(store)).toEqual([1, 2]);
    store.close();
    expect(rows(open())).toEqual([1, 2]);
  });

  it("is left as it was by a step that fails", () => {
    open().close();
    expect(() => open({ steps: [...steps, "CREATE TABLE b (x); SELECT nonsense"] })).toThrow("nonsense");
    const store = open();
    expect(store.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
    expect(store.prepare("SELECT name FROM sqlite_schema").all()).toHaveLength(1);
  });

  it("is not touched when a newer version of Postern wrote it", () => {
    open().close();
    const before = readFileSync(path);
    let error: AppError | undefined;
    try {
      open({ steps: steps.slice(0, 1) });
    } catch (thrown) {
      error = thrown as AppError;
    }
    expect(error?.detail).toContain("newer version");
    expect(readFileSync(path)).toEqual(before);
    expect(log.events).toEqual([]);
  });

  it.each([
    ["text", Buffer.from("this is no database\n".repeat(500))],
    ["zeros after a good beginning", undefined],
  ])("is moved aside and begun anew when it is damaged: %s", (_, content) => {
    const first = open();
    writeTogether(first, () => {
      const insert = first.prepare("INSERT INTO a VALUES (?, ?)");
      for (let x = 0; x < 2_000; x++) insert.run(x, "y".repeat(50));
    });
    first.close();
    const damaged = content ?? readFileSync(path).fill(0, 8_192, 40_000);
    writeFileSync(path, damaged);
    const store = open();
    expect(rows(store)).toEqual([]);
    expect(readFileSync(`${path}.damaged`)).toEqual(damaged);
    expect(log.events).toEqual([expect.objectContaining({ level: "error", event: "store.moved-aside" }) as unknown]);
    store.close();
    log.events.length = 0;
    open();
    expect(log.events).toEqual([]);
  });

  it("rescues what its owner can read of a damaged file, and starts also when that is nothing", () => {
    const first = open({ steps: [...steps, "CREATE TABLE big (z TEXT)"] });
    first.exec("INSERT INTO a VALUES (7, 'kept')");
    writeTogether(first, () => {
      const insert = first.prepare("INSERT INTO big VALUES (?)");
      for (let z = 0; z < 200; z++) insert.run("z".repeat(1_000));
    });
    first.close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xaa, bytes.length / 2));
    const rescue = (damaged: DatabaseSync, fresh: DatabaseSync): void => {
      for (const { x } of damaged.prepare("SELECT x FROM a").all())
        fresh.prepare("INSERT INTO a (x) VALUES (?)").run(x ?? 0);
    };
    const store = open({ steps: [...steps, "CREATE TABLE big (z TEXT)"], rescue });
    expect(rows(store)).toEqual([7]);
    expect(log.events.map(({ event }) => event)).toEqual(["store.moved-aside", "store.rescued"]);
    store.close();

    writeFileSync(path, "no database at all, and long enough to be read as one".repeat(20));
    const fresh = open({ steps: [...steps, "CREATE TABLE big (z TEXT)"], rescue });
    expect(rows(fresh)).toEqual([]);
    expect(log.events.at(-1)).toMatchObject({ event: "store.lost" });
    expect(readdirSync(join(path, "..")).filter((name) => name.endsWith(".damaged"))).toHaveLength(1);
  });

  it("says what is wrong when it cannot be opened at all", () => {
    expect(() => open({ path: join(path, "..", "no-such-folder", "a.sqlite") })).toThrow(/cannot be opened: .*ENOENT/);
    expect(existsSync(`${path}.damaged`)).toBe(false);
  });
});
