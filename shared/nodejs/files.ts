import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a file whole or not at all: a crash leaves the old content or the new one. `mode` is set from the start. */
export function writeFileAtomic(path: string, content: string, mode = 0o644): void {
  writeBeside(path, content, mode, (temporary) => renameSync(temporary, path));
}

/** Makes a file, whole or not at all, where there is none; false where there is one, such as another process's just now. */
export function makeFileOnce(path: string, content: string, mode = 0o644): boolean {
  try {
    writeBeside(path, content, mode, (temporary) => linkSync(temporary, path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function writeBeside(path: string, content: string, mode: number, put: (temporary: string) => void): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const fd = openSync(temporary, "wx", mode);
  try {
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    put(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
}
