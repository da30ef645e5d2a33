import { generateKeyPairSync } from "node:crypto";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readOrCreateTlsKey } from "../../../tee-bot/certificate/tls-key.ts";
import { refusalOf } from "../../shared/refusal.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";

const pemOf = (key: { export: (options: { type: "pkcs8"; format: "pem" }) => string | Buffer }): string =>
  key.export({ type: "pkcs8", format: "pem" }).toString();

describe("the TLS key", () => {
  it("is made once, P-256, for its owner only, and read again at the next start", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "tls.key");
    const made = readOrCreateTlsKey(path);
    expect(made.privateKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const read = readOrCreateTlsKey(path);
    expect(read.pem).toBe(made.pem);
    expect(read.spki.equals(made.spki)).toBe(true);
  });

  const refused: [what: string, content: string, code: string][] = [
    ["is empty", "", "bad-request"],
    ["is no PEM", "hello", "bad-request"],
    ["is an RSA key", pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey), "bad-request"],
    ["is an Ed25519 key", pemOf(generateKeyPairSync("ed25519").privateKey), "bad-request"],
    ["is on another curve", pemOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey), "bad-request"],
    ["is far too long", "x".repeat(5_000), "too-large"],
  ];
  it.each(refused)("that %s is refused and left as it is", (_, content, code) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "tls.key");
    writeFileSync(path, content, { mode: 0o600 });
    expect(refusalOf(() => readOrCreateTlsKey(path))).toBe(code);
    expect(readFileSync(path, "utf8")).toBe(content);
  });

  it("that others can read is refused with the command that mends it", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "tls.key");
    readOrCreateTlsKey(path);
    chmodSync(path, 0o644);
    expect(refusalOf(() => readOrCreateTlsKey(path))).toBe("forbidden");
    expect(() => readOrCreateTlsKey(path)).toThrow(`chmod 600 ${path}`);
  });
});
