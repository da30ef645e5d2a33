import { readFileSync, statSync } from "node:fs";
import { AppError, errorText } from "../../shared/errors.ts";

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The text of a file that somebody has named. Throws {@link AppError} when it cannot be read, or is too large to be one. */
export function readSmallFile(path: string, maxBytes: number): string {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new AppError("bad-request", `${path} is no file.`);
    if (stats.size > maxBytes)
      throw new AppError("too-large", `${path} has ${stats.size} bytes; at most ${maxBytes} are read.`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("not-found", `${path} cannot be read: ${errorText(error)}.`, { cause: error });
  }
}
