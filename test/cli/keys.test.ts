import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { filesIn } from "../../tee-bot/config.ts";
import { startControl } from "../../tee-bot/control/control.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { openTestLedger, type TestLedger } from "../tee-bot/support/ledger.ts";
import { nodeStatus } from "../tee-bot/support/node-status.ts";
import { ManualClock } from "../tee-bot/support/manual-clock.ts";
import { postern } from "./run.ts";

let stack: AsyncDisposableStack;
let state: string;
let ledger: TestLedger;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  state = stack.use(temporaryFolder()).path;
  ledger = stack.use(openTestLedger({ clock: new ManualClock(Date.now()) }));
  stack.use(
    await startControl({
      port: 0,
      path: filesIn(state).control,
      status: () => nodeStatus({ url: "https://alice.example.net" }),
      expose: () => {},
      renew: () => {},
      ledger,
      tee: { tee: "none", reason: "." },
      clock: systemClock,
    }),
  );
});
afterEach(() => stack.disposeAsync());
const run = (...args: string[]) => postern("keys", ...args, "--state", state);

const create = (name: string, ...flags: string[]) => run("create", "--name", name, ...flags);

describe("postern keys create", () => {
  it("shows the key once, with its limits and a line to try it", async () => {
    const { code, stdout, stderr } = await create(
      "alice",
      "--models",
      "llama*, near/*",
      "--rpm",
      "60",
      "--monthly-tokens",
      "1000000",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = stdout.slice(0, stdout.indexOf("\n"));
    const [key] = ledger.keys.list();
    expect(ledger.keys.find(text)?.keyId).toBe(key?.id);
    expect(stdout).toBe(`${text}

  Keep it: it is not shown again.

  name     alice
  id       ${key?.id}
  expires  never
  models   llama*, near/*
  limits   60 requests/min, 1000000 tokens/month
  try      curl https://alice.example.net/v1/models -H "Authorization: Bearer ${text}"
`);
  });

  it("names the CA in the line to try where clients do not know it", async () => {
    writeFileSync(filesIn(state).issuer, JSON.stringify({ kind: "local", roots: [], trust: "private" }));
    const { stdout } = await create("alice");
    expect(stdout).toContain(`curl --cacert ${filesIn(state).issuerChain} https://alice.example.net/v1/models`);
  });

  it("--json is the key and its text, --expires counts from now", async () => {
    const { code, stdout } = await create("a", "--expires", "30d", "--tpm", "5000", "--json");
    expect(code).toBe(0);
    const { key, text } = JSON.parse(stdout) as { key: { expiresAt: number }; text: string };
    expect(ledger.keys.find(text)).toBeDefined();
    expect(key).toMatchObject({ name: "a", state: "active", tokensPerMinute: 5_000, tokensThisMonth: 0 });
    expect(Math.abs(key.expiresAt - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
  });

  it("names every flag that cannot be used, and makes nothing", async () => {
    const wrong = ["--expires", "soon", "--models", ",", "--rpm", "0", "--tpm", "x", "--monthly-tokens", "1.5"];
    const { code, stdout, stderr } = await create("-", ...wrong);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^No key was made\.\n {2}why: /);
    for (const flag of ["--name", "--expires", "--models", "--rpm", "--tpm", "--monthly-tokens"])
      expect(stderr).toContain(`${flag} takes`);
    expect(ledger.keys.list()).toEqual([]);
  });

  it("says that a name is taken", async () => {
    ledger.keys.create({ name: "alice" });
    const { code, stderr } = await create("alice");
    expect(code).toBe(1);
    expect(stderr).toContain('why:  There is a key named "alice" already.');
  });
});

describe("postern keys list", () => {
  it("shows those that are good, with what they have used, and with --all the others", async () => {
    const { key: first, text } = ledger.keys.create({ name: "alice", models: ["a", "b*"], tokensPerMonth: 500 });
    const { key: second } = ledger.keys.create({ name: "bob", expiresAt: Date.UTC(2096, 0, 1) });
    const { key: third } = ledger.keys.create({ name: "carol" });
    ledger.keys.revoke("carol");
    ledger.access.authenticate({ "x-api-key": text }, "public", "10.0.0.1");
    ledger.usage.add(first.id, 123, ledger.clock.now());
    const { code, stdout } = await run("list");
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "NAME   ID                STATE   LAST USED  TOKENS THIS MONTH  EXPIRES               MODELS  LIMITS",
        `alice  ${first.id}  active  just now   123                never                 a,b*    500 tokens/month`,
        `bob    ${second.id}  active  never      0                  2096-01-01 00:00 UTC  all     none`,
        "",
      ].join("\n"),
    );
    expect((await run("list", "--all")).stdout).toContain(`carol  ${third.id}  revoked`);
    const json = JSON.parse((await run("list", "--json")).stdout) as { name: string }[];
    expect(json.map(({ name }) => name)).toEqual(["alice", "bob"]);
    expect(JSON.stringify(json)).not.toContain("hash");
  });

  it("says how to make one where there is none", async () => {
    expect((await run("list")).stdout).toBe("There are no API keys. Make one with: postern keys create --name NAME\n");
  });
});

describe("postern keys revoke", () => {
  it("ends a key by its name or its id", async () => {
    const { key, text } = ledger.keys.create({ name: "Anna B." });
    expect(await run("revoke", "Anna B.")).toEqual({
      code: 0,
      stdout: `Anna B. (${key.id}) is revoked.\n`,
      stderr: "",
    });
    expect(ledger.keys.find(text)?.key.revokedAt).toBeDefined();
    const { key: other } = ledger.keys.create({ name: "b" });
    expect(JSON.parse((await run("revoke", other.id, "--json")).stdout)).toMatchObject({
      id: other.id,
      state: "revoked",
    });
  });

  it("says that there is no such key", async () => {
    const { code, stderr } = await run("revoke", "nobody");
    expect(code).toBe(1);
    expect(stderr).toContain('No key was revoked.\n  why:  There is no API key "nobody" that could be revoked.\n');
  });

  it("needs a node that runs", async () => {
    const { code, stderr } = await postern("keys", "list", "--state", `${state}/nowhere`);
    expect(code).toBe(1);
    expect(stderr).toContain("No node is running here.");
  });
});
