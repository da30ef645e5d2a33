import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changeEnv, parseEnv } from "../../../scripts/signal/env-file.ts";
import { judgeServer } from "../../../scripts/signal/hygiene.ts";
import { startAccountServer } from "../../support/account-server.ts";
import { root } from "../../support/postern.ts";
import { runProgram } from "../../support/visit.ts";

const image = (name: string): string => `${name}@sha256:${"a".repeat(64)}`;
const flags = [
  "--edge=https://edge.example.org",
  `--node-image=${image("registry.example.org/postern-node")}`,
  `--signal-image=${image("bbernhard/signal-cli-rest-api")}`,
  `--redis-image=${image("redis")}`,
];

describe("scripts/setup-signal.ts", () => {
  let directory: string;
  let env: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "postern-setup-signal-"));
    env = join(directory, ".env");
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const setUp = (...args: string[]) =>
    runProgram(process.execPath, [join(root, "scripts/setup-signal.ts"), "--env", env, "--yes", ...args]);

  it("writes what the compose file wants, for its owner alone, and says what comes next", async () => {
    const { code, stdout } = await setUp(...flags, "--account", "+15550000001");
    expect(code).toBe(0);
    expect(statSync(env).mode & 0o777).toBe(0o600);
    const written = parseEnv(readFileSync(env, "utf8"));
    expect(written).toMatchObject({ POSTERN_EDGE: "https://edge.example.org", SIGNAL_ACCOUNT: "+15550000001" });
    expect(written["SIGNAL_HOOK_SECRET"]).toMatch(/^[\w-]{43}$/);
    expect(stdout).toContain("signal link");
    expect(stdout).not.toContain(written["SIGNAL_HOOK_SECRET"]);
  });

  it("keeps the secret and what else is in the file at the next time, unless it is to be new", async () => {
    writeFileSync(env, "# mine\nOTHER=1\nPOSTERN_EDGE=https://old.example.org\n");
    await setUp(...flags);
    const first = readFileSync(env, "utf8");
    expect(first).toMatch(/^# mine\nOTHER=1\nPOSTERN_EDGE=https:\/\/edge\.example\.org\n/);
    const { code } = await setUp(); // everything is known by now
    expect(code).toBe(0);
    expect(readFileSync(env, "utf8")).toBe(first);
    await setUp("--new-secret");
    expect(parseEnv(readFileSync(env, "utf8"))["SIGNAL_HOOK_SECRET"]).not.toBe(parseEnv(first)["SIGNAL_HOOK_SECRET"]);
  });

  it("lists everything that is missing or not named by digest, and writes nothing", async () => {
    const { code, stderr } = await setUp("--redis-image", "redis:8", "--account", "0555");
    expect(code).toBe(1);
    for (const name of ["POSTERN_EDGE", "POSTERN_IMAGE", "SIGNAL_API_IMAGE"]) expect(stderr).toContain(`${name} (`);
    expect(stderr).toContain("not named by digest");
    expect(stderr).toContain("no number with its country");
    expect(existsSync(env)).toBe(false);
  });

  it("refuses a REST server that should not be used, and passes one that may", async () => {
    await using server = await startAccountServer();
    server.numbers = ["+15550000001"];
    const good = await setUp(...flags, "--api", server.url);
    expect(good.code).toBe(0);
    expect(good.stdout).toContain("as it should be");
    server.mode = "normal";
    server.refusals.set("/v1/configuration", { status: 200, body: '{"logging":{"Level":"Debug"}}' });
    const bad = await setUp(...flags, "--api", server.url);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/MODE is normal[\s\S]*LOG_LEVEL is debug/);
  });

  it("has a usage, and refuses flags that it does not know", async () => {
    expect((await setUp("--help")).stdout).toContain("--signal-image");
    expect((await setUp("--nonsense")).code).toBe(2);
  });
});

describe("an .env file", () => {
  it("is read and changed line by line, quotes where compose needs them", () => {
    const text = "A=1\n# B=2\nexport C='x y'\n";
    expect(parseEnv(text)).toEqual({ A: "1", C: "x y" });
    expect(changeEnv(text, { C: "a$b", D: "plain" })).toBe("A=1\n# B=2\nC='a$b'\nD=plain\n");
    expect(changeEnv("", { A: "1" })).toBe("A=1\n");
  });
});

describe("what a REST server shows of itself", () => {
  const good = {
    mode: "json-rpc",
    version: "0.100",
    logLevel: "info",
    trust: "on-first-use",
    accounts: ["+15550000001"],
  };

  it("is judged by what it means for people", () => {
    expect(judgeServer(good)).toEqual([]);
    expect(judgeServer({ ...good, trust: "always" })).toMatchObject([{ isGrave: true }]);
    expect(judgeServer({ ...good, trust: "never" })).toMatchObject([{ isGrave: false }]);
    expect(judgeServer({ ...good, accounts: [] })).toMatchObject([{ isGrave: false }]);
    expect(judgeServer({ ...good, mode: undefined })).toMatchObject([{ isGrave: true }]);
  });
});
