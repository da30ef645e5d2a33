import { generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { filesIn } from "../../tee-bot/config.ts";
import { startControl } from "../../tee-bot/control/control.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { startGuestAgent } from "../support/guest-agent.ts";
import { openTestLedger } from "../tee-bot/support/ledger.ts";
import { nodeStatus } from "../tee-bot/support/node-status.ts";
import { postern } from "./run.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const at = (name: string): string => join(folder.path, name);
const modeOf = (path: string): number => statSync(path).mode & 0o777;
let states = 0;
const newState = (): string => at(`state-${++states}`);

describe("postern id", () => {
  it("makes a key at the first time, for its owner only, and tells the same node from then on", async () => {
    const state = newState();
    const first = await postern("id", "--state", state);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/^[0-9a-f]{64}\n  name   [a-z2-7]{52}\.<zone>\n  key    .*identity\.pem  \(new\)\n$/);
    expect(modeOf(join(state, "identity.pem"))).toBe(0o600);
    const second = await postern("id", "--state", state);
    expect(second.stdout).toBe(first.stdout.replace("  (new)", ""));
  });

  it("refuses a key that others can read, and says what mends it", async () => {
    const state = newState();
    await postern("id", "--state", state);
    const key = join(state, "identity.pem");
    chmodSync(key, 0o644);
    for (const command of [["id"], ["id", "export", at("never.pem")]]) {
      const { code, stdout, stderr } = await postern(...command, "--state", state);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(`${key} can be read by other users. Run: chmod 600 ${key}`);
    }
    expect(existsSync(at("never.pem"))).toBe(false);
  });
});

describe("postern id export and import", () => {
  it("carry a node to another machine, and no secret is printed", async () => {
    const [from, to] = [newState(), newState()];
    const { stdout: told } = await postern("id", "--state", from);
    const exported = await postern("id", "export", at("carried.pem"), "--state", from);
    expect(exported).toMatchObject({ code: 0, stderr: "" });
    expect(exported.stdout).toContain(told.slice(0, 64));
    expect(modeOf(at("carried.pem"))).toBe(0o600);
    const imported = await postern("id", "import", at("carried.pem"), "--state", to);
    expect(imported).toMatchObject({ code: 0, stderr: "" });
    expect(imported.stdout).toBe(`This node is now ${told.slice(0, 64)}. Restart it if it runs.\n`);
    expect((await postern("id", "--state", to)).stdout.slice(0, 64)).toBe(told.slice(0, 64));
    const secret = readFileSync(at("carried.pem"), "utf8").split("\n")[1] ?? "";
    expect(exported.stdout + imported.stdout).not.toContain(secret);
  });

  it("refuse to write over a file, and to export a key that is not there", async () => {
    const state = newState();
    await postern("id", "--state", state);
    writeFileSync(at("taken.pem"), "precious");
    const taken = await postern("id", "export", at("taken.pem"), "--state", state);
    expect(taken).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `Nothing was exported.\n  why:  ${at("taken.pem")} exists already.\n  do:   Name a file that does not exist yet.\n`,
    });
    expect(readFileSync(at("taken.pem"), "utf8")).toBe("precious");
    const absent = await postern("id", "export", at("absent.pem"), "--state", newState());
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain("Make one with: postern id");
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const ed25519 = generateKeyPairSync("ed25519");
  const locked = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
  const refused: [what: string, content: string | undefined, why: RegExp][] = [
    ["that is not there", undefined, /There is no file/],
    ["that is empty", "", /not an unencrypted PKCS #8 PEM private key/],
    ["that is no key", "hello", /not an unencrypted PKCS #8 PEM private key/],
    ["with a public key", ed25519.publicKey.export({ type: "spki", format: "pem" }).toString(), /private key/],
    ["with an RSA key", rsa.export({ type: "pkcs8", format: "pem" }).toString(), /this one is rsa/],
    ["that is locked", ed25519.privateKey.export(locked).toString(), /unencrypted/],
    ["that is too large", "x".repeat(5_000), /it has 5000 bytes/],
  ];
  it.each(refused)("refuse a file %s and change nothing", async (_, content, why) => {
    const state = newState();
    const { stdout: before } = await postern("id", "--state", state);
    const file = at("import.pem");
    if (content === undefined) expect(existsSync(at("missing.pem"))).toBe(false);
    else writeFileSync(file, content);
    const path = content === undefined ? at("missing.pem") : file;
    const { code, stdout, stderr } = await postern("id", "import", path, "--replace", "--state", state);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Nothing was imported\.\n  why: /);
    expect(stderr).toMatch(why);
    expect((await postern("id", "--state", state)).stdout.slice(0, 64)).toBe(before.slice(0, 64));
    expect(readdirSync(state)).toEqual(["identity.pem"]);
  });

  it("replace a key only when told to, and keep it beside", async () => {
    const [state, other] = [newState(), newState()];
    const { stdout: before } = await postern("id", "--state", state);
    const { stdout: after } = await postern("id", "--state", other);
    const key = readFileSync(join(state, "identity.pem"), "utf8");
    const source = join(other, "identity.pem");
    const refusal = await postern("id", "import", source, "--state", state);
    expect(refusal.code).toBe(1);
    expect(refusal.stderr).toContain("Add --replace if you mean it");
    expect((await postern("id", "--state", state)).stdout).toContain(before.slice(0, 64));

    expect((await postern("id", "import", source, "--replace", "--state", state)).code).toBe(0);
    expect((await postern("id", "--state", state)).stdout).toContain(after.slice(0, 64));
    const kept = readdirSync(state).find((name) => name.endsWith(".old")) ?? "";
    expect(readFileSync(join(state, kept), "utf8")).toBe(key);
    expect(modeOf(join(state, kept))).toBe(0o600);
  });
});

describe("postern id in a TEE", () => {
  const stateWith = (attestation: string): string => {
    const state = newState();
    mkdirSync(state);
    writeFileSync(join(state, "postern.yaml"), `version: 1\nattestation: ${attestation}\n`);
    return state;
  };

  it("tells who the TEE makes this node, and writes no key", async () => {
    await using agent = await startGuestAgent();
    const state = stateWith(`{tee: dstack, socket: ${agent.socket}}`);
    const [one, again] = [await postern("id", "--state", state), await postern("id", "--state", state)];
    expect(one).toMatchObject({ code: 0, stderr: "" });
    expect(one.stdout).toMatch(/^[0-9a-f]{64}\n {2}name {3}[a-z2-7]{52}\.<zone>\n {2}key {4}in the TEE \(dstack\)\n$/);
    expect(again.stdout).toBe(one.stdout);
    expect(readdirSync(state)).toEqual(["postern.yaml"]);
    const simulated = await postern("id", "--state", stateWith(`{tee: simulated, socket: ${agent.socket}}`));
    expect(simulated.stdout).toContain("key    in a SIMULATED TEE, which proves nothing");
  });

  it("neither hands out nor takes a key", async () => {
    await using agent = await startGuestAgent();
    const state = stateWith(`{socket: ${agent.socket}}`);
    const exported = await postern("id", "export", at("tee.pem"), "--state", state);
    expect(exported).toMatchObject({ code: 1, stdout: "" });
    expect(exported.stderr).toMatch(/^Nothing was exported\.\n {2}why: .* TEE, whose key never leaves it/);
    expect(existsSync(at("tee.pem"))).toBe(false);
    const imported = await postern("id", "import", at("tee.pem"), "--state", state);
    expect(imported.stderr).toMatch(/^Nothing was imported\.\n {2}why: .* can be replaced by no file/);
    expect(readdirSync(state)).toEqual(["postern.yaml"]);
  });

  it("is who the running node says, wherever that one was told of its TEE", async () => {
    const state = newState();
    mkdirSync(state);
    using ledger = openTestLedger();
    await using _control = await startControl({
      port: 0,
      path: filesIn(state).control,
      status: () => nodeStatus({ node: "ab".repeat(32), tee: "simulated" }),
      expose: () => {},
      renew: () => {},
      ledger,
      tee: { tee: "none", reason: "." },
      clock: systemClock,
    });
    expect((await postern("id", "--state", state)).stdout).toMatch(/^(ab){32}\n.*\n {2}key {4}in a SIMULATED TEE/);
    expect((await postern("id", "export", at("none.pem"), "--state", state)).code).toBe(1);
    expect(existsSync(join(state, "identity.pem"))).toBe(false);
  });

  it("says what to do where the settings want a TEE that is not there, and makes no key instead", async () => {
    const state = stateWith("{tee: dstack, socket: /nowhere/dstack.sock}");
    const { code, stdout, stderr } = await postern("id", "--state", state);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("Not in a TEE: no guest agent at /nowhere/dstack.sock. Mount dstack's socket");
    expect(readdirSync(state)).toEqual(["postern.yaml"]);
  });
});
