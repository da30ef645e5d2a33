/** `postern.yaml`: where it is, and how it is read and written. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { AppError, errorText } from "../../shared/errors.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { maxFileBytes } from "./yaml-text.ts";

export const defaultStateDirectory = ".postern/node";
export const settingsFileName = "postern.yaml";
const newFileMode = 0o600;

export interface SettingsFile {
  /** Absolute. */
  readonly path: string;
  /** Somebody named it, so it has to be there. */
  readonly named: boolean;
}

/** `POSTERN_CONFIG`, else `postern.yaml` in the state directory. */
export function findSettingsFile(environment: NodeJS.ProcessEnv): SettingsFile {
  const named = environment["POSTERN_CONFIG"] || undefined;
  const state = environment["POSTERN_STATE"] || defaultStateDirectory;
  return { path: resolve(named ?? join(state, settingsFileName)), named: named !== undefined };
}

/** As mistakes call it. */
export function nameOf({ path }: SettingsFile): string {
  return basename(path);
}

/** Its text; undefined when it is not there and need not be. Throws {@link AppError} when it cannot be read. */
export function readSettingsFile({ path, named }: SettingsFile): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile())
      throw new AppError("bad-request", `${path} is no file. Name one with --config or POSTERN_CONFIG.`);
    if (stats.size > maxFileBytes)
      throw new AppError("too-large", `${path} has ${stats.size} bytes; settings have at most ${maxFileBytes}.`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (isMissing(error) && !named) return undefined;
    const remedy = isMissing(error)
      ? "Name one that is there with --config or POSTERN_CONFIG."
      : "Mend its permissions.";
    throw new AppError("not-found", `The settings cannot be read: ${errorText(error)}. ${remedy}`, { cause: error });
  }
}

/** Writes it whole or not at all. The mode stays, and a link keeps leading to it. */
export function writeSettingsFile({ path }: SettingsFile, text: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  writeFileAtomic(stats ? realpathSync(path) : path, text, stats ? stats.mode & 0o777 : newFileMode);
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
