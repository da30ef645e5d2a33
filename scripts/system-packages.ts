import { spawnSync } from "node:child_process";

/** A program that something here runs, and the Debian package that has it. */
export interface NeededProgram {
  readonly program: string;
  readonly debianPackage: string;
  /** What needs it goes without where it cannot be installed. */
  readonly optional?: true;
}

/** Installs what is missing with apt-get where that is possible (Debian, as root); else says what to install and ends. */
export function ensurePrograms(needed: readonly NeededProgram[]): void {
  const missing = needed.filter(({ program }) => !isInstalled(program));
  if (missing.length === 0) return;
  const canDoWithout = missing.every(({ optional }) => optional);
  const packages = missing.map(({ debianPackage }) => debianPackage);
  if (process.getuid?.() !== 0 || !isInstalled("apt-get")) {
    if (canDoWithout) return;
    process.stderr.write(
      `Missing: ${missing.map(({ program }) => program).join(", ")}. Install with: apt-get install ${packages.join(" ")}\n`,
    );
    process.exit(1);
  }
  process.stderr.write(`Installing ${packages.join(", ")} …\n`);
  aptGet(["update", "-qq"]);
  // Apart, so that a package that some distribution lacks does not keep the others away.
  const packagesOf = (isOptional: boolean): string[] =>
    missing.filter((one) => (one.optional ?? false) === isOptional).map(({ debianPackage }) => debianPackage);
  if (!install(packagesOf(false))) process.exit(1);
  install(packagesOf(true));
}

function install(packages: readonly string[]): boolean {
  return packages.length === 0 || aptGet(["install", "-y", "-qq", "--no-install-recommends", ...packages]);
}

function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
}

function aptGet(args: readonly string[]): boolean {
  const { status } = spawnSync("apt-get", args, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) process.stderr.write(`apt-get ${args.join(" ")} failed.\n`);
  return status === 0;
}
