/** Whether this installation can run models itself. */
import { findPackageJSON } from "node:module";

/** Undefined: it can. `node-llama-cpp` is optional, as are the builds that it brings for each platform. */
export function findObstacle(has: (name: string) => boolean = isInstalled): string | undefined {
  if (!has("node-llama-cpp"))
    return "The package node-llama-cpp is not installed. Run npm ci without --omit=optional to have the embedded engine.";
  const build = `@node-llama-cpp/${platformNames[process.platform] ?? process.platform}-${process.arch}`;
  if (!has(build) && !has(`${build}-metal`))
    return `node-llama-cpp has no build for this platform (${build}), and Postern compiles none.`;
  return undefined;
}

const platformNames: Readonly<Record<string, string>> = { darwin: "mac", win32: "win" };

function isInstalled(name: string): boolean {
  try {
    return findPackageJSON(name, import.meta.url) !== undefined;
  } catch {
    return false;
  }
}
