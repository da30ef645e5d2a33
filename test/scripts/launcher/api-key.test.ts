import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readOrCreateApiKey } from "../../../scripts/launcher/api-key.ts";
import { systemClock } from "../../../shared/clock.ts";
import { startControl } from "../../../tee-bot/control/control.ts";
import type { NodeStatus } from "../../../tee-bot/control/status.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { openTestLedger, type TestLedger } from "../../tee-bot/support/ledger.ts";

let stack: AsyncDisposableStack;
let ledger: TestLedger;
let control: string;
let path: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  control = join(folder, "control.json");
  path = join(folder, "npm-start-key.json");
  ledger = stack.use(openTestLedger());
  stack.use(
    await startControl({
      port: 0,
      path: control,
      status: () => ({}) as NodeStatus,
      expose: () => {},
      renew: () => {},
      ledger,
      tee: { tee: "none", reason: "." },
      clock: systemClock,
    }),
  );
});
afterEach(() => stack.disposeAsync());
const read = (): Promise<string> => readOrCreateApiKey({ control, path, signal: new AbortController().signal });
const names = (): string[] =>
  ledger.keys.list().flatMap(({ name, revokedAt }) => (revokedAt === undefined ? [name] : []));

describe("the key of npm start", () => {
  it("is made once, kept for its owner only, and the same at the next start", async () => {
    const text = await read();
    expect(ledger.keys.find(text)?.key.name).toBe("npm-start");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).toContain(text);
    expect(await read()).toBe(text);
    expect(names()).toEqual(["npm-start"]);
  });

  it("is made anew when it was revoked", async () => {
    const text = await read();
    ledger.keys.revoke("npm-start");
    const next = await read();
    expect(next).not.toBe(text);
    expect(await read()).toBe(next);
    expect(names()).toEqual(["npm-start"]);
  });

  it.each([undefined, "{", '{"id":"key_of_another_node","text":"postern_x"}'])(
    "takes the place of one whose text nobody has any more (%s)",
    async (content) => {
      ledger.keys.create({ name: "npm-start" });
      ledger.keys.create({ name: "alice" });
      if (content !== undefined) writeFileSync(path, content);
      expect(ledger.keys.find(await read())?.key.name).toBe("npm-start");
      expect(names()).toEqual(["alice", "npm-start"]);
    },
  );

  it("says what the node answered when it makes none", async () => {
    const file = JSON.parse(readFileSync(control, "utf8")) as object;
    writeFileSync(control, JSON.stringify({ ...file, token: "another" }));
    await expect(read()).rejects.toThrow("The node answered 403 to GET /v1/keys.");
  });
});
