import { readFileSync } from "node:fs";

/** proc(5): drawn anew by each start of the kernel. Undefined where there is no such thing. */
export function readBootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
