import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSettings } from "../../tee-bot/settings/read-settings.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { postern } from "./run.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
let states = 0;

/** A state directory with this postern.yaml. */
function stateWith(text?: string): { state: string; path: string } {
  const state = join(folder.path, `state-${++states}`);
  mkdirSync(state);
  const path = join(state, "postern.yaml");
  if (text !== undefined) writeFileSync(path, text);
  return { state, path };
}

const bad = "version: 1\ngateway:\n  privacy: nobody\n  limits: {queued: many}\n";
const badWhy =
  "  why:  postern.yaml:3:12 gateway.privacy: not a value it can have · give one of any, local-or-attested, local-or-verified, local\n" +
  "        postern.yaml:4:20 gateway.limits.queued: text cannot stand here · give a number\n";

describe("postern config check", () => {
  it("says that the file is good, or that there is none", async () => {
    const { state, path } = stateWith();
    const there = await postern("config", "check", "--state", state);
    expect(there).toEqual({ code: 0, stdout: `There is no ${path}: everything is as by default.\n`, stderr: "" });
    writeFileSync(path, "version: 1\n");
    const good = await postern("config", "check", path);
    expect(good).toEqual({ code: 0, stdout: `${path} is good.\n`, stderr: "" });
  });

  it("lists every mistake, and ends with exit code 1", async () => {
    const { state } = stateWith(bad);
    expect(await postern("config", "check", "--state", state)).toEqual({
      code: 1,
      stdout: "",
      stderr: `The settings cannot be used.\n${badWhy}  do:   Mend each where it says; docs/postern.example.yaml shows every setting.\n`,
    });
  });

  it("refuses a file that is not there when it is named", async () => {
    const path = join(folder.path, "none.yaml");
    const { code, stdout, stderr } = await postern("config", "check", path);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^The settings cannot be used\.\n  why:  The settings cannot be read: ENOENT.*none\.yaml/);
  });
});

describe("postern config show", () => {
  it("prints what is in force and where it comes from, in a form that says the same again", async () => {
    const { state, path } = stateWith(
      "version: 1\nnode: {edge: https://edge.test}\ngateway:\n  aliases:\n    fast: [a, b]\n",
    );
    const { code, stdout, stderr } = await postern("config", "show", "--state", state);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`# ${path}\nversion: 1\nnode:\n  edge: https://edge.test`);
    expect(stdout).toMatch(/^  edge: https:\/\/edge\.test +# postern\.yaml:2, POSTERN_EDGE$/m);
    expect(stdout).toMatch(/^  # alias: +# not set, POSTERN_ALIAS$/m);
    expect(stdout).toMatch(/^  strategy: prefer-local +# default, POSTERN_GATEWAY_STRATEGY$/m);
    expect(stdout).toMatch(/^  aliases: +# postern\.yaml:4\n    fast:\n      - a\n      - b$/m);
    const [again, before] = [stdout, readFileSync(path, "utf8")].map((text) => readSettings({ name: "x", text }, {}));
    expect(again).toMatchObject({ ok: true });
    if (again?.ok && before?.ok) expect(again.effective.settings).toEqual(before.effective.settings);
  });

  it("gives the same as JSON", async () => {
    const { state, path } = stateWith("version: 1\ngateway: {strategy: local-only}\n");
    const { stdout } = await postern("config", "show", "--json", "--state", state);
    const shown = JSON.parse(stdout) as { file: string; settings: { path: string }[] };
    expect(shown.file).toBe(path);
    expect(shown.settings.find((one) => one.path === "gateway.strategy")).toEqual({
      path: "gateway.strategy",
      value: "local-only",
      from: "postern.yaml:2",
      variable: "POSTERN_GATEWAY_STRATEGY",
    });
  });
});

describe("postern config migrate", () => {
  it("writes the present shape, keeps the mode and the file before, and has nothing to do the next time", async () => {
    const old = "# mine\nalias: bob # me\n";
    const { state, path } = stateWith(old);
    chmodSync(path, 0o640);
    expect((await postern("config", "check", "--state", state)).stdout).toContain(
      "It is of version 0; postern config migrate",
    );
    expect(await postern("config", "migrate", "--state", state)).toEqual({
      code: 0,
      stdout: `${path} was of version 0 and is now of 1. The file before is ${path}.bak.\n`,
      stderr: "",
    });
    expect(readFileSync(path, "utf8")).toBe("# mine\nversion: 1\nnode:\n  alias: bob # me\n");
    expect(readFileSync(`${path}.bak`, "utf8")).toBe(old);
    for (const file of [path, `${path}.bak`]) expect(statSync(file).mode & 0o777).toBe(0o640);
    const again = await postern("config", "migrate", "--state", state);
    expect(again.stdout).toBe(`${path} is of version 1 already.\n`);
    expect(readFileSync(`${path}.bak`, "utf8")).toBe(old);
  });

  it("changes nothing when the file is not there, or is bad", async () => {
    const { state, path } = stateWith();
    expect((await postern("config", "migrate", "--state", state)).code).toBe(1);
    writeFileSync(path, "alias: Bob\n");
    const { code, stderr } = await postern("config", "migrate", "--state", state);
    expect(code).toBe(1);
    expect(stderr).toContain("postern.yaml:1:8 node.alias: Use lower case.");
    expect(readFileSync(path, "utf8")).toBe("alias: Bob\n");
    expect(existsSync(`${path}.bak`)).toBe(false);
  });
});

describe("postern config set", () => {
  it("changes one setting and no other line, and says when a variable wins over it", async () => {
    const text = "# mine\nversion: 1\ngateway:\n  strategy: local-only # for now\n";
    const { state, path } = stateWith(text);
    expect(await postern("config", "set", "gateway.strategy", "load-balance", "--state", state)).toEqual({
      code: 0,
      stdout: `gateway.strategy is set in ${path}.\n`,
      stderr: "",
    });
    expect(readFileSync(path, "utf8")).toBe(text.replace("local-only", "load-balance"));
    expect((await postern("config", "set", "gateway.aliases.fast", "[a, b]", "--state", state)).code).toBe(0);
    expect(readFileSync(path, "utf8")).toContain("  aliases:\n    fast:\n      - a\n      - b\n");
  });

  it.each([
    ["gateway.strategy", "fast", "postern.yaml:3:13 gateway.strategy: not a value it can have"],
    ["gateway.stratgy", "local-only", "did you mean strategy?"],
    ["strategy..x", "1", "strategy..x is no setting."],
    ["version", "2", "version is no setting."],
    ["gateway.strategy", "[", "The value is not YAML."],
    ["gateway.strategy", "*a", "The value is not YAML."],
  ])("refuses %s = %s and leaves the file", async (setting, value, why) => {
    const text = "version: 1\ngateway:\n  strategy: local-only\n";
    const { state, path } = stateWith(text);
    const { code, stdout, stderr } = await postern("config", "set", setting, value, "--state", state);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Nothing was changed\.\n/);
    expect(stderr).toContain(why);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("asks for a migration first", async () => {
    const { state } = stateWith("alias: bob\n");
    const { code, stderr } = await postern("config", "set", "node.alias", "eve", "--state", state);
    expect(code).toBe(1);
    expect(stderr).toContain("is of version 0.\n  do:   First run: postern config migrate");
  });
});

describe("postern start --config", () => {
  it("ends with exit code 2 and every mistake, of the file and of flags", async () => {
    const { state, path } = stateWith(bad);
    const { code, stderr } = await postern("start", "--config", path, "--state", state, "--tunnel", "tcp");
    expect(code).toBe(2);
    expect(stderr).toContain("POSTERN_EDGE: give the edge's address");
    expect(stderr).toContain("POSTERN_TUNNEL: not a value it can have");
    expect(stderr).toContain("postern.yaml:3:12 gateway.privacy: not a value it can have");
  });
});
