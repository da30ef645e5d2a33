import { describe, expect, it } from "vitest";
import { keysetSchema } from "../../../../shared/attestation/keyset.ts";
import { decideNotAfter, keysetPeriodSeconds, sealKeyset } from "../../../../tee-bot/attestation/evidence/keyset.ts";

const now = 1_800_000_000;
const parts = {
  receiptKey: { key_id: "receipt-1", algo: "ed25519", public_key: "aa".repeat(32) },
  e2eeKey: { key_id: "e2ee-1", algo: "x25519", public_key: "bb".repeat(32) },
  hostnames: ["b.test", "a.test", "b.test"],
  spkiSha256: "cc".repeat(32),
  node: "dd".repeat(32),
  acmeAccounts: ["https://ca.test/acct/1"],
  subject: "dstack-app://00",
  signal: undefined,
};

describe("a keyset", () => {
  it("names the TLS key for every hostname once, in order", async () => {
    const { keyset, digest } = await sealKeyset(parts, now);
    expect(keysetSchema.parse(keyset)).toEqual(keyset);
    expect(keyset.tls_public_keys).toEqual([
      { domain: "a.test", spki_sha256: parts.spkiSha256 },
      { domain: "b.test", spki_sha256: parts.spkiSha256 },
    ]);
    expect(keyset).toMatchObject({ node_id: parts.node, acme_accounts: parts.acmeAccounts, subject: parts.subject });
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is the same in whatever order names come, and after a restart within the week", async () => {
    const { digest } = await sealKeyset(parts, now);
    const later = (Math.floor(now / keysetPeriodSeconds) + 1) * keysetPeriodSeconds - 1;
    expect((await sealKeyset({ ...parts, hostnames: ["a.test", "b.test"] }, later)).digest).toBe(digest);
  });

  it.each([
    ["another name", { hostnames: ["a.test", "b.test", "c.test"] }],
    ["another TLS key", { spkiSha256: "ce".repeat(32) }],
    ["another receipt key", { receiptKey: { ...parts.receiptKey, public_key: "ab".repeat(32) } }],
    ["another account", { acmeAccounts: [] }],
    ["another node", { node: "de".repeat(32) }],
    ["a bot with a Signal key", { signal: { key: "05".repeat(33), safetyNumber: "1".repeat(30) } }],
    ["another application", { subject: "simulated-app://00" }],
  ])("is another one with %s", async (_, change) => {
    expect((await sealKeyset({ ...parts, ...change }, now)).digest).not.toBe((await sealKeyset(parts, now)).digest);
  });

  it("ends one to two weeks from now", () => {
    for (const at of [now, now + 1, now + keysetPeriodSeconds - 1, now + keysetPeriodSeconds]) {
      const left = decideNotAfter(at) - at;
      expect(left).toBeGreaterThan(keysetPeriodSeconds);
      expect(left).toBeLessThanOrEqual(2 * keysetPeriodSeconds);
    }
  });
});
