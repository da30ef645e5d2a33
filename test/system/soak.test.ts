/** A short soak, so that the long one still works when it is needed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../support/postern.ts";
import { runProgram } from "../support/visit.ts";
import { kinds } from "../soak/load/kinds.ts";

const soakMs = 300_000;

it(
  "a soak of a minute finds nothing wrong, with visitors of every kind and several faults",
  { timeout: soakMs + 20_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "postern-soak-test-"));
    const json = join(directory, "report.json");
    const flags = ["--minutes", "0.8", "--seed", "7", "--every", "4,6", "--visitors", "16", "--json", json];
    const { code, stdout } = await runProgram(process.execPath, [join(root, "test/soak/main.ts"), ...flags], {
      timeout: soakMs,
    });
    expect(stdout).toContain("PASSED");
    expect(code).toBe(0);
    const report = JSON.parse(readFileSync(json, "utf8")) as {
      counts: Record<string, { done: number }>;
      recoveries: number[];
    };
    for (const { name } of kinds) expect(report.counts[name]?.done, name).toBeGreaterThan(0);
    expect(report.recoveries.length).toBeGreaterThanOrEqual(2);
    rmSync(directory, { recursive: true, force: true });
  },
);
