import { X509Certificate } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createLocalCa, readOrCreateLocalCa } from "../../scripts/local-ca.ts";

const dir = mkdtempSync(join(tmpdir(), "postern-ca-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("the CA is made once and its key is for its owner only", async () => {
  const first = await readOrCreateLocalCa(join(dir, "ca"), "postern.localhost");
  expect(await readOrCreateLocalCa(join(dir, "ca"), "postern.localhost")).toEqual(first);
  expect(statSync(join(dir, "ca", "root.key")).mode & 0o777).toBe(0o600);
  const root = new X509Certificate(first.certificatePem);
  expect(root.ca).toBe(true);
  expect(root.verify(root.publicKey)).toBe(true);
});

test("what the CA signs is trusted for names of its zone and for nothing else", async () => {
  const { certificatePem, keyPem } = await createLocalCa("postern.localhost", Date.now());
  writeFileSync(join(dir, "root.pem"), certificatePem);
  writeFileSync(join(dir, "root.key"), keyPem, { mode: 0o600 });
  const trusts = (altName: string): boolean => {
    const openssl = (args: string) => execFileSync("openssl", args.split(" "), { cwd: dir, stdio: "pipe" });
    writeFileSync(join(dir, "extensions"), `subjectAltName=${altName}\n`);
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /");
    openssl("x509 -req -in leaf.csr -CA root.pem -CAkey root.key -days 1 -out leaf.pem -extfile extensions");
    return spawnSync("openssl", ["verify", "-CAfile", "root.pem", "leaf.pem"], { cwd: dir }).status === 0;
  };
  expect(trusts("DNS:demo.postern.localhost")).toBe(true);
  expect(trusts("DNS:example.com")).toBe(false);
  expect(trusts("DNS:notpostern.localhost")).toBe(false);
  expect(trusts("IP:127.0.0.1")).toBe(false);
  expect(trusts("IP:2001:db8::1")).toBe(false);
});
