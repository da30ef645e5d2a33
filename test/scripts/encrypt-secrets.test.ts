import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { startKms, type KmsFault } from "./secrets/kms-stand-in.ts";

const script = join(import.meta.dirname, "../../scripts/encrypt-secrets.ts");
const kms = await startKms();
const folder = temporaryFolder();
const appId = "ab".repeat(20);
const env = `API_KEY=s3cret-value\nGREETING="two words"\n`;
const timeout = 60_000;

afterEach(() => {
  kms.fault = undefined;
});
afterAll(async () => {
  folder[Symbol.dispose]();
  await kms[Symbol.asyncDispose]();
});

const file = (name: string, content: string): string => {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
};

async function encrypt(args: readonly string[], input = env) {
  const child = spawn(process.execPath, [script, ...args], { timeout, stdio: ["pipe", "pipe", "pipe"] });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const text = { all: "" };
    stream.setEncoding("utf8").on("data", (part: string) => void (text.all += part));
    return text;
  });
  child.stdin.on("error", () => {}).end(input);
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout: stdout?.all ?? "", stderr: stderr?.all ?? "" };
}
const usual = ["--kms", kms.url, "--kms-signer", kms.signer, "--app-id", appId];

describe("scripts/encrypt-secrets", { timeout }, () => {
  it("prints what only the application's VM can read", async () => {
    const { code, stdout, stderr } = await encrypt(usual);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(kms.decrypt(stdout.trim())).toEqual({
      env: [
        { key: "API_KEY", value: "s3cret-value" },
        { key: "GREETING", value: "two words" },
      ],
    });
    expect(kms.requests.at(-1)).toBe(`POST /prpc/GetAppEnvEncryptPubKey?json {"app_id":"${appId}"}`);
    expect((await encrypt(usual)).stdout).not.toBe(stdout);
  });

  it.each<[KmsFault, string]>([
    ["other-signer", "is signed by 0"],
    ["other-app", "or for another application"],
    ["other-key", "neither is what was pinned"],
    ["stale", "s old, and may be 300 s"],
    ["future", "of the future"],
    ["undated", "has no time"],
    ["unsigned", "is not signed"],
    ["down", "answers with status 500"],
    ["html", "is no key for secrets"],
  ])("encrypts nothing where the KMS's key is %s", async (fault, why) => {
    kms.fault = fault;
    const { code, stdout, stderr } = await encrypt(usual);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/s3cret|a secret of the KMS/);
  });

  it("takes a signature without a time where that is allowed", async () => {
    kms.fault = "undated";
    expect((await encrypt([...usual, "--allow-undated"])).code).toBe(0);
  });

  it("takes the application and the names that it lets in from its compose text", async () => {
    const text = JSON.stringify({ name: "node", allowed_envs: ["API_KEY"] }, undefined, 2);
    const args = ["--kms", kms.url, "--kms-signer", kms.signer, "--compose", file("app-compose.json", text)];
    const refused = await encrypt(args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("does not let in GREETING");
    const { code } = await encrypt([...args, "--env", file("secrets.env", "API_KEY=x")]);
    expect(code).toBe(0);
    const id = createHash("sha256").update(text).digest("hex").slice(0, 40);
    expect(kms.requests.at(-1)).toContain(id);
  });

  it("says what is wrong with the command, and never repeats what may be a secret", async () => {
    const unsigned = await encrypt(["--kms", kms.url, "--app-id", appId]);
    expect(unsigned.code).toBe(2);
    expect(unsigned.stderr).toContain("Give --kms-signer");
    const given = await encrypt([...usual, "API_KEY=s3cret-value"]);
    expect(given.code).toBe(2);
    expect(given.stderr).not.toContain("s3cret");
    expect((await encrypt(usual, "")).stderr).toContain("There are no secrets");
    expect((await encrypt(["--help"])).stdout).toContain("never taken as arguments");
  });
});
