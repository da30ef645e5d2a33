import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectRoot, quietEnvironment, wranglerProgram } from "./wrangler.ts";
import { writeFileAtomic } from "../shared/nodejs/files.ts";

const buildDeadlineMs = 120_000;
const sources = ["workers/**/*.{ts,cjs}", "shared/**/*.ts", "package.json", "package-lock.json", "wrangler.toml"];

export interface BuildOptions {
  outDir: string;
  /** Ends a build that is under way. */
  signal?: AbortSignal;
}

/** Beside the bundle: what esbuild says of it, `metafile` in its documentation. */
export const metafileName = "bundle-meta.json";

/** Bundles the edge as a deployment would, into `outDir`; nothing is done when no source has changed. The bundle's path. */
export async function buildWorker({ outDir, signal }: BuildOptions): Promise<string> {
  const bundle = join(outDir, "index.js");
  const digestFile = join(outDir, "sources.sha256");
  const digest = digestOfSources();
  if (statSync(bundle, { throwIfNoEntry: false }) && readIfThere(digestFile) === digest) return bundle;
  mkdirSync(outDir, { recursive: true });
  await runWrangler(["deploy", "--dry-run", "--outdir", outDir, "--metafile", join(outDir, metafileName)], signal);
  writeFileAtomic(digestFile, digest);
  return bundle;
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const path of globSync(sources, { cwd: projectRoot }).toSorted()) {
    const content = readFileSync(join(projectRoot, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function readIfThere(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false }) ? readFileSync(path, "utf8") : undefined;
}

/** Its output is shown only when it fails. */
function runWrangler(args: string[], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wrangler = spawn(process.execPath, [wranglerProgram, ...args], {
      cwd: projectRoot,
      env: { ...process.env, ...quietEnvironment, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: buildDeadlineMs,
      killSignal: "SIGKILL",
      ...(signal && { signal }),
    });
    let output = "";
    for (const stream of [wrangler.stdout, wrangler.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-10_000)));
    wrangler.once("error", reject);
    wrangler.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`The edge cannot be built:\n${output.trim()}`)),
    );
  });
}
