import { beforeAll, describe, expect, it } from "vitest";
import { checkChain } from "../../../shared/acme/chain.ts";
import { createCsr, createKeys, TestIssuer, type Issued } from "./certificates.ts";

const now = Date.UTC(2026, 10, 21);
const good: Issued = { names: ["a.test", "b.test"], notBefore: now - 1_000, notAfter: now + 86_400_000 };
const hostnames = ["a.test", "B.test"];
const issuer = new TestIssuer();
let keys: CryptoKeyPair;
let csr: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  keys = await createKeys();
  csr = await createCsr(hostnames, keys);
});

describe("a chain", () => {
  it("is good when its leaf has the request's key and names, and has not run out", async () => {
    const chain = await issuer.issue(csr, { ...good, names: ["a.test", "b.test", "c.test"] });
    expect(checkChain(chain, { csr, hostnames, now })).toEqual({
      ok: true,
      notBefore: now - 1_000,
      notAfter: now + 86_400_000,
    });
  });

  it.each<[fault: string, made: () => Promise<string>]>([
    ["is for another key", async () => issuer.issue(await createCsr(hostnames), good)],
    ["does not name B.test", () => issuer.issue(csr, { ...good, names: ["a.test"] })],
    ["has run out already", () => issuer.issue(csr, { ...good, notAfter: now })],
    ["is missing", () => Promise.resolve("")],
    ["cannot be read", () => Promise.resolve("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")],
  ])("%s", async (fault, made) => {
    expect(checkChain(await made(), { csr, hostnames, now })).toEqual({ ok: false, fault });
  });
});
