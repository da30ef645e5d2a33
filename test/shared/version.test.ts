import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { version } from "../../shared/version.ts";

it("the version every process reports is that of package.json", () => {
  const path = join(import.meta.dirname, "../../package.json");
  expect(version).toBe((JSON.parse(readFileSync(path, "utf8")) as { version: string }).version);
});
