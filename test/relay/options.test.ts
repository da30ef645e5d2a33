import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readOptions } from "../../relay/options.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "postern-relay-options-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, "relay.env");
  writeFileSync(path, text);
  return path;
}

describe("the options of a relay", () => {
  test("take settings from a file as systemd reads it, and let the environment win", () => {
    const path = file('# where we are\nRELAY_ZONE="zone.test"\nRELAY_PORT=443\n\nLOG_LEVEL=warn # quiet\n');
    expect(readOptions(["--config", path], { RELAY_PORT: "8443" })).toEqual({
      help: false,
      checkConfig: false,
      environment: { RELAY_ZONE: "zone.test", RELAY_PORT: "8443", LOG_LEVEL: "warn" },
    });
  });

  test("refuse a file with a name that is no setting of a relay", () => {
    const path = file("RELAY_ZONE=zone.test\nZONE=zone.test\n");
    expect(() => readOptions(["--config", path], {})).toThrow(/no setting of a relay: ZONE$/);
  });

  test("say which file cannot be read, and which option is unknown", () => {
    expect(() => readOptions(["--config", join(directory, "none")], {})).toThrow(/--config cannot be read.*ENOENT/);
    expect(() => readOptions(["--verbose"], {})).toThrow(/--verbose/);
  });
});
