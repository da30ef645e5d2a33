import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = join(import.meta.dirname, "../../support/garbage-maker.ts");
const timeout = 60_000;

async function youngMiB(...args: string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { timeout });
  return Number(stdout) / (1 << 20);
}

it("the young generation stays small in a process that was started without a flag for it", { timeout }, async () => {
  const [bound, unbound] = await Promise.all([youngMiB("bound"), youngMiB()]);
  expect(bound).toBeLessThanOrEqual(64);
  expect(unbound).toBeGreaterThan(64); // else nobody needs it any more
});
