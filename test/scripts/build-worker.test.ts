import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildWorker } from "../../scripts/build-worker.ts";
import { compatibilityDate, durableObjects } from "../../scripts/edge-worker.ts";

const outDir = mkdtempSync(join(tmpdir(), "postern-build-"));
afterAll(() => rmSync(outDir, { recursive: true }));

test("the edge is built once, and again when what it was built from is another", async () => {
  const bundle = await buildWorker({ outDir });
  const builtAt = statSync(bundle).mtimeMs;
  expect(await buildWorker({ outDir })).toBe(bundle);
  expect(statSync(bundle).mtimeMs).toBe(builtAt);
  writeFileSync(join(outDir, "sources.sha256"), "of other sources");
  await buildWorker({ outDir });
  expect(statSync(bundle).mtimeMs).toBeGreaterThan(builtAt);
});

test("Miniflare is told of the same date and objects as wrangler", () => {
  const toml = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
  expect(/^compatibility_date = "(.*)"$/m.exec(toml)?.[1]).toBe(compatibilityDate);
  const bindings = toml.matchAll(/^name = "(\w+)"\nclass_name = "(\w+)"$/gm);
  expect(Object.fromEntries([...bindings].map(([, name, className]) => [name, className]))).toEqual(durableObjects);
});
