/**
 * One SQLite file of the node, mode 0600. A file that is damaged is moved aside and begun anew, so that the node starts
 * whatever a crash or a disk did to it; what can be read of it is rescued by its owner.
 */
import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

export interface StoreOptions {
  path: string;
  /** SQL that makes version n + 1 of version n; one that has run somewhere is never edited. */
  steps: readonly string[];
  log: Log;
  /** Copies what must not be lost from a file that is damaged, as far as it can be read; may throw. */
  rescue?: (damaged: DatabaseSync, fresh: DatabaseSync) => void;
}

/** How long a statement waits for another process that writes; the event loop stands still meanwhile. */
const busyTimeoutMs = 250;
const walLimitBytes = 4 * 1024 * 1024;
/** https://www.sqlite.org/rescode.html */
const damageCodes = new Set([11, 26]); // SQLITE_CORRUPT, SQLITE_NOTADB
const busyCode = 5; // SQLITE_BUSY

/** Throws {@link AppError} when the file cannot be opened, or is of a newer version of Postern. */
export function openStore(options: StoreOptions): DatabaseSync {
  const { path, log } = options;
  try {
    return open(options);
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (!isDamage(error))
      throw new AppError("forbidden", `${path} cannot be opened: ${errorText(error)}.`, { cause: error });
    const aside = moveAside(path);
    log.error("store.moved-aside", { path, aside, error: errorText(error) });
    const fresh = open(options);
    rescue(options, aside, fresh);
    return fresh;
  }
}

/** Runs changes that must outlive a loss of power; all others may lose their last second to one. */
export function writeDurably(store: DatabaseSync, change: () => void): void {
  store.exec("PRAGMA synchronous = FULL");
  try {
    writeTogether(store, change);
  } finally {
    store.exec("PRAGMA synchronous = NORMAL");
  }
}

/** Runs changes in one transaction: all of them or none. */
export function writeTogether(store: DatabaseSync, change: () => void): void {
  store.exec("BEGIN IMMEDIATE");
  try {
    change();
    store.exec("COMMIT");
  } catch (error) {
    if (store.isTransaction) store.exec("ROLLBACK");
    throw error;
  }
}

class Damage extends Error {}

function open({ path, steps }: StoreOptions): DatabaseSync {
  closeSync(openSync(path, "a", 0o600)); // SQLite would make it readable by others, and gives its companions the same mode
  chmodSync(path, 0o600);
  const store = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    store.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${walLimitBytes}`);
    const [found] = Object.values(store.prepare("PRAGMA quick_check(1)").get() ?? {});
    if (found !== "ok") throw new Damage(String(found));
    migrate(store, path, steps);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

function migrate(store: DatabaseSync, path: string, steps: readonly string[]): void {
  const versionNow = (): number => Number(store.prepare("PRAGMA user_version").get()?.["user_version"]);
  const version = versionNow();
  if (version > steps.length)
    throw new AppError(
      "bad-request",
      `${path} was written by a newer version of Postern. Use that version, or move the file away to begin anew.`,
    );
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    writeTogether(store, () => {
      if (versionNow() === index) store.exec(`${step}; PRAGMA user_version = ${index + 1}`); // else another process did
    });
  }
}

/** Whether an error of SQLite says that another process has the file just now. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === busyCode;
}

/** Whether an error of SQLite says that the file is not as SQLite left it. */
export function isDamage(error: unknown): boolean {
  if (error instanceof Damage) return true;
  return damageCodes.has(codeOf(error));
}

/** Extended codes have the kind in their low byte. */
function codeOf(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff;
}

/** Only the newest damaged file is kept: one that fails again and again must not fill the disk. */
function moveAside(path: string): string {
  const aside = `${path}.damaged`;
  for (const companion of ["", "-wal", "-shm"]) {
    rmSync(aside + companion, { force: true });
    if (existsSync(path + companion)) renameSync(path + companion, aside + companion);
  }
  return aside;
}

function rescue({ rescue: copy, log }: StoreOptions, aside: string, fresh: DatabaseSync): void {
  if (!copy) return;
  let damaged: DatabaseSync | undefined;
  try {
    damaged = new DatabaseSync(aside);
    const source = damaged;
    writeDurably(fresh, () => copy(source, fresh));
    log.info("store.rescued", { path: aside });
  } catch (error) {
    log.error("store.lost", { path: aside, error: errorText(error) });
  } finally {
    damaged?.close();
  }
}
