import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { buildWorker, metafileName } from "../../scripts/build-worker.ts";
import { bundleAliases } from "../../scripts/bundle-aliases.ts";
import { edgeWorkerOptions } from "../../scripts/edge-worker.ts";
import { projectRoot, quietEnvironment, wranglerProgram } from "../../scripts/wrangler.ts";

/** A Worker is loaded wherever a request comes in first: what is not in it starts sooner. Cloudflare's own limit is far. */
const maxBundleBytes = 600 * 1024;

const directory = mkdtempSync(join(tmpdir(), "postern-bundle-"));
const outDir = join(directory, "out");
let bundle: string;

beforeAll(async () => {
  bundle = await buildWorker({ outDir });
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

test("the edge's bundle stays within 600 KiB, minified", () => {
  const { size } = statSync(bundle);
  const largest = bytesByPackage(join(outDir, metafileName)).slice(0, 10);
  const told = largest.map(([name, bytes]) => `${(bytes / 1024).toFixed(0)} KiB ${name}`).join(", ");
  expect(size, `${(size / 1024).toFixed(0)} KiB; the largest packages: ${told}`).toBeLessThanOrEqual(maxBundleBytes);
});

test("no package is in the bundle that another file stands for", () => {
  const packages = bytesByPackage(join(outDir, metafileName)).map(([name]) => name);
  const replaced = bundleAliases().filter(({ path }) => !path.includes("node_modules"));
  // Of zod a part is there, by the path of its modules.
  expect(packages.filter((name) => name !== "zod" && replaced.some((alias) => alias.name === name))).toEqual([]);
});

test("every name of zod that the edge uses is in the bundle's zod", async () => {
  const files = globSync("{workers,shared}/**/*.ts", { cwd: projectRoot, exclude: ["shared/nodejs/**"] });
  const used = files.flatMap((file) =>
    [...readFileSync(join(projectRoot, file), "utf8").matchAll(/\bz\.([a-zA-Z]\w*)/g)].map(([, name]) => name ?? ""),
  );
  const bundled = (await import(join(projectRoot, "workers/bundle/zod.ts"))) as object;
  const types = new Set(["infer", "input", "output"]);
  const missing = [...new Set(used)].filter((name) => !(name in bundled) && !types.has(name));
  expect(missing, "add these to workers/bundle/zod-names.ts").toEqual([]);
});

test("the OpenAPI document is the same with the whole of every package", async () => {
  const whole = await buildWithoutAliases();
  expect(await openApiDocument(bundle)).toEqual(await openApiDocument(whole));
}, 60_000);

/** In the order of their share of the output; our own files together. */
function bytesByPackage(metafile: string): [string, number][] {
  const { outputs } = metafileSchema.parse(JSON.parse(readFileSync(metafile, "utf8")));
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "the edge itself";
      sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
    }
  return [...sums].toSorted(([, a], [, b]) => b - a);
}

const metafileSchema = z.object({
  outputs: z.record(z.string(), z.object({ inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })) })),
});

async function buildWithoutAliases(): Promise<string> {
  const wholeDir = join(directory, "whole");
  const config = join(directory, "wrangler.toml");
  const toml = readFileSync(join(projectRoot, "wrangler.toml"), "utf8");
  const main = JSON.stringify(join(projectRoot, "workers/index.ts"));
  writeFileSync(config, toml.replace(/^\[alias\]\n(?:(?!\[).*\n?)*/m, "").replace(/^main = .*$/m, `main = ${main}`));
  const args = [wranglerProgram, "deploy", "--dry-run", "--config", config, "--outdir", wholeDir];
  await promisify(execFile)(process.execPath, args, {
    cwd: projectRoot,
    env: { ...process.env, ...quietEnvironment },
    timeout: 60_000,
  });
  const built = join(wholeDir, "index.js");
  expect(statSync(built).size).toBeGreaterThan(maxBundleBytes); // else the aliases were there
  return built;
}

async function openApiDocument(path: string): Promise<unknown> {
  const vars = { ZONE: "postern.localhost" };
  const options = edgeWorkerOptions({ port: 0, stateDir: directory, bundle: path, vars, writeLine: () => {} });
  const edge = new Miniflare(options);
  try {
    const response = await edge.dispatchFetch("http://edge.localhost/openapi.json");
    expect(response.status).toBe(200);
    return await response.json();
  } finally {
    await edge.dispose();
  }
}
