import { createPrivateKey, generateKeyPairSync, sign, verify, X509Certificate } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ed25519KeyOfSpki } from "../../../shared/certificate/ed25519-spki.ts";
import {
  generateIdentityPem,
  identityOfPem,
  readKeyFile,
  readOrCreateIdentity,
  saveIdentityPem,
} from "../../../shared/nodejs/identity-file.ts";
import { nodeIdOfKey } from "../../../shared/registry/node-id.ts";
import { refusalOf, refusalOfAsync } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const now = Date.UTC(2026, 10, 21);
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("readOrCreateIdentity", () => {
  it("makes a key that only its owner can read, and finds the same at the next start", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "state", "identity.pem");
    const first = await readOrCreateIdentity(path, now);
    expect([modeOf(path), modeOf(dirname(path))]).toEqual(["600", "700"]);
    expect(readdirSync(dirname(path))).toEqual(["identity.pem"]);
    const second = await readOrCreateIdentity(path, now);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.id).toBe(first.id);
    expect(second.privateKeyPem).toBe(readFileSync(path, "utf8"));
  });

  it("makes another key in another place", async () => {
    using folder = temporaryFolder();
    const [a, b] = await Promise.all(["a", "b"].map((name) => readOrCreateIdentity(join(folder.path, name), now)));
    expect(a?.id).not.toBe(b?.id);
  });

  it.each([0o640, 0o604, 0o644, 0o660, 0o601])("refuses a file of mode %i, and says what to run", async (mode) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "identity.pem");
    saveIdentityPem(path, generateIdentityPem());
    chmodSync(path, mode);
    expect(await refusalOfAsync(() => readOrCreateIdentity(path, now))).toBe("forbidden");
    expect(() => readKeyFile(path)).toThrow(`chmod 600 ${path}`);
  });

  it("takes a file that its owner cannot even write", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "identity.pem");
    saveIdentityPem(path, generateIdentityPem());
    chmodSync(path, 0o400);
    expect((await readOrCreateIdentity(path, now)).created).toBe(false);
  });

  it("never replaces a file that it does not understand", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "identity.pem");
    writeFileSync(path, "my only copy", { mode: 0o600 });
    expect(await refusalOfAsync(() => readOrCreateIdentity(path, now))).toBe("bad-request");
    expect(readFileSync(path, "utf8")).toBe("my only copy");
  });

  it("refuses a file too large to be a key", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "identity.pem");
    writeFileSync(path, "x".repeat(4097), { mode: 0o600 });
    expect(refusalOf(() => readKeyFile(path))).toBe("too-large");
  });
});

describe("identityOfPem", () => {
  it("gives id, keys and certificate of one key pair", async () => {
    const identity = await identityOfPem(generateIdentityPem(), now);
    const certificate = new X509Certificate(identity.certificate);
    const raw = ed25519KeyOfSpki(certificate.publicKey.export({ type: "spki", format: "der" }));
    expect(nodeIdOfKey(raw ?? new Uint8Array())).toBe(identity.id);
    expect(certificate.checkPrivateKey(identity.privateKey)).toBe(true);

    const data = Buffer.from("data");
    expect(verify(null, data, certificate.publicKey, sign(null, data, identity.privateKey))).toBe(true);
    const signature = Buffer.from(await crypto.subtle.sign("Ed25519", identity.signingKey, data));
    expect(verify(null, data, certificate.publicKey, signature)).toBe(true);
    expect(identity.signingKey.extractable).toBe(false);
    expect(createPrivateKey(identity.privateKeyPem).equals(identity.privateKey)).toBe(true);
  });

  const pem = { type: "pkcs8", format: "pem" } as const;
  it.each([
    ["nothing", ""],
    ["text", "hello"],
    ["a PEM with nothing in it", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"],
    ["a public key", generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString()],
    ["a P-256 key", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(pem).toString()],
    ["an X25519 key", generateKeyPairSync("x25519").privateKey.export(pem).toString()],
    [
      "an encrypted key",
      generateKeyPairSync("ed25519")
        .privateKey.export({ ...pem, cipher: "aes-256-cbc", passphrase: "secret" })
        .toString(),
    ],
  ])("refuses %s", async (_, text) => {
    expect(await refusalOfAsync(() => identityOfPem(text, now))).toBe("bad-request");
  });
});
