import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPlatform } from "../../../../tee-bot/attestation/collateral/platform.ts";
import { teeFixtures } from "../support/fixtures.ts";

describe.skipIf(!teeFixtures)("the platform of a real quote (skipped without ../shared/fixtures/tee)", () => {
  it.each([
    ["tdx_quote", { fmspc: "B0C06F000000", ca: "platform" }],
    ["tdx_quote_outdated", { fmspc: "90C06F000000", ca: "platform" }],
  ])("%s is read", (file, platform) => {
    expect(readPlatform(readFileSync(join(teeFixtures!, "dcap-qvl", file)))).toEqual(platform);
  });
});
