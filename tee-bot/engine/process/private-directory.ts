import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `sun_path` has 108 bytes on Linux, 104 on macOS, its end among them. */
const maxSocketPathBytes = 100;

/** A new directory that only this user may enter, and the path of a socket in it. */
export function createSocketDirectory(temporary = tmpdir()): { directory: string; socket: string } {
  const place =
    Buffer.byteLength(join(temporary, "postern-engine-XXXXXX", "s")) > maxSocketPathBytes ? "/tmp" : temporary;
  // mkdtemp makes it with mode 0700.
  const directory = mkdtempSync(join(place, "postern-engine-"));
  return { directory, socket: join(directory, "s") };
}
