import { open } from "node:fs/promises";
import { errorText } from "../../../shared/errors.ts";
import { GgufError, parseGguf, type GgufFacts } from "./parse-gguf.ts";

const firstReadBytes = 256 * 1024;
/** A vocabulary of some hundred thousand tokens has some megabytes. */
const maxHeaderBytes = 64 * 1024 * 1024;

export interface GgufFile extends GgufFacts {
  readonly bytes: number;
  /** Unix seconds. */
  readonly modified: number;
}

/** Throws {@link GgufError}, with a reason for whoever wrote the path. */
export async function readGguf(path: string, options?: { whole: boolean }): Promise<GgufFile> {
  try {
    await using file = await open(path);
    const status = await file.stat();
    if (!status.isFile()) throw new GgufError("It is no file.");
    for (let length = firstReadBytes; ; length *= 8) {
      const bytes = Buffer.alloc(Math.min(length, status.size));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      const facts = parseGguf(bytes.subarray(0, bytesRead), options);
      if (facts) return { ...facts, bytes: status.size, modified: Math.floor(status.mtimeMs / 1_000) };
      if (bytesRead === status.size) throw new GgufError("It ends within its header: was it copied whole?");
      if (length > maxHeaderBytes) throw new GgufError("Its header is too long.");
    }
  } catch (error) {
    if (error instanceof GgufError) throw error;
    throw new GgufError(whyOf(error), { cause: error });
  }
}

function whyOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return "There is no such file.";
  if (code === "EACCES") return "It may not be read by this process.";
  return `It cannot be read: ${errorText(error)}.`;
}
