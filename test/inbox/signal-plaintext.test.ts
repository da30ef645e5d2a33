/** In Node, which can read the fixtures; the rule's own tests run in workerd, under test/workers/inbox. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { signalFixture } from "../tee-bot/bot/simulator/support/signal-fixtures.ts";
import { decideIsSignalPlaintext } from "../../workers/inbox/signal-plaintext.ts";

const folder = signalFixture("envelopes");

describe.skipIf(!folder)("what signal-cli posts (skipped without ../shared/fixtures/signal)", () => {
  const files = folder ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];

  it.each(files)("is seen as Signal's plaintext: %s", (name) => {
    const body = readFileSync(join(folder ?? "", name));
    expect(decideIsSignalPlaintext("application/json", body)).toBe(true);
  });
});
