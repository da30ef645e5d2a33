/** The programs that the benchmarks need besides Node, installed where that can be done without asking. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";

const installTimeoutMs = 300_000;
const compileTimeoutMs = 60_000;
/** What the load clients are compiled with. */
export const compiler = ["gcc", "libc6-dev"] as const;
/** What the ways through relays need besides. */
export const relayTools = [
  ...compiler,
  "haproxy",
  "openssl",
  "openssh-client",
  "openssh-server",
  "libssl-dev",
] as const;

/** Package of Debian and Ubuntu → what shows that it is there. */
const packages = {
  haproxy: () => runs("haproxy", "-v"),
  gcc: () => runs("gcc", "--version"),
  openssl: () => runs("openssl", "version"),
  "openssh-client": () => existsSync("/usr/bin/ssh"),
  "openssh-server": () => existsSync("/usr/sbin/sshd"),
  "libc6-dev": () => existsSync("/usr/include/stdio.h"),
  "libssl-dev": () => existsSync("/usr/include/openssl/ssl.h"),
} as const;

/** Throws an error that names the command to run when something is missing and cannot be installed. */
export function installTools(needed: readonly (keyof typeof packages)[]): void {
  const missing = needed.filter((name) => !packages[name]());
  if (missing.length === 0) return;
  const command = `apt-get install -y ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || !runs("apt-get", "--version"))
    throw new Error(`The benchmarks need ${missing.join(", ")}. On Debian: sudo ${command}`);
  console.error(`installing ${missing.join(", ")}`);
  execFileSync("apt-get", ["update", "-q"], { stdio: ["ignore", 2, 2], timeout: installTimeoutMs });
  execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...missing], {
    stdio: ["ignore", 2, 2],
    timeout: installTimeoutMs,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Compiles the load client for TLS and returns its path. */
export function buildLoadClient(directory: string): string {
  return compile([join(import.meta.dirname, "../load")], join(directory, "load"), ["-lssl", "-lcrypto"]);
}

/** Compiles C files, and all that are in folders, into one program, and returns its path. */
export function compile(sources: readonly string[], path: string, libraries: readonly string[] = []): string {
  const files = sources.flatMap((source) => (source.endsWith(".c") ? [source] : globSync(join(source, "*.c"))));
  execFileSync("gcc", ["-O2", "-Wall", "-D_GNU_SOURCE", ...files, "-o", path, ...libraries], {
    timeout: compileTimeoutMs,
  });
  return path;
}

/** The first line a program says of its version. */
export function versionOf(command: string, flag: string): string {
  return execFileSync(command, [flag], { encoding: "utf8" }).split("\n", 1)[0] ?? "";
}

function runs(command: string, flag: string): boolean {
  try {
    execFileSync(command, [flag], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
