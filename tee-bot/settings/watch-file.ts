import { statSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

export interface WatchFileOptions {
  /** Absolute; the file need not be there. */
  readonly path: string;
  /** Told when it has come, changed or gone. */
  readonly onChange: () => void;
  readonly log: Log;
  /** Looks at it so often as well: not every file system tells, and a directory may be replaced. */
  readonly pollMs?: number;
}

/** Editors write in several steps; they have so long for all of them. */
const settleMs = 100;
const defaultPollMs = 5_000;

/** Watches the directory, since editors put a new file in the place of the old one. */
export function watchFile({ path, onChange, log, pollMs = defaultPollMs }: WatchFileOptions): Disposable {
  let seen = marksOf(path);
  let settling: NodeJS.Timeout | undefined;
  const look = (): void => {
    const marks = marksOf(path);
    if (marks === seen) return;
    seen = marks;
    onChange();
  };
  const settle = (): void => {
    clearTimeout(settling);
    settling = setTimeout(look, settleMs);
  };
  const watcher = watchDirectory(path, settle, log);
  const poll = setInterval(look, pollMs).unref();
  return {
    [Symbol.dispose]: () => {
      watcher?.close();
      clearInterval(poll);
      clearTimeout(settling);
    },
  };
}

function watchDirectory(path: string, onEvent: () => void, log: Log): FSWatcher | undefined {
  const refused = (error: unknown): void => log.info("watch.refused", { path: dirname(path), error: errorText(error) });
  try {
    // A mounted ConfigMap changes by a link called "..data".
    const isOurs = (name: string | null): boolean => name === null || name === basename(path) || name.startsWith("..");
    const watcher = watch(dirname(path), { persistent: false }, (_, name) => {
      if (isOurs(name)) onEvent();
    });
    return watcher.on("error", refused);
  } catch (error) {
    refused(error);
    return undefined;
  }
}

/** Differ when the file is another one, or was written. */
function marksOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [ino, size, mtimeMs, ctimeMs].join();
  } catch {
    return "absent";
  }
}
