import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Custody } from "../../../../../shared/attestation/evidence.ts";
import { judgeKeyCustody, type CustodyFacts } from "../../../../../tee-bot/attestation/client/judge/key-custody.ts";
import type { GuestAgent } from "../../../../../tee-bot/attestation/dstack/guest-agent.ts";
import { AgentKeys } from "../../../../../tee-bot/attestation/keys/tee-keys.ts";
import { AppKeys } from "../../../../../tee-bot/attestation/simulator/guest/app-keys.ts";
import { hexOf, someKeyset, someNode } from "../support/evidence.ts";

const appId = Buffer.alloc(20, 7);
const provider = new AppKeys(new Uint8Array(32).fill(1), appId);
const agent = {
  key: ({ path, purpose }) => Promise.resolve(provider.derive(path, purpose, "secp256k1")),
} as Pick<GuestAgent, "key"> as GuestAgent;
const keys = new AgentKeys(agent);

const spki = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
const digest = createHash("sha256").update(spki).digest("hex");
const receipt = "ab".repeat(32);
const keyset = someKeyset({
  tls_public_keys: [{ domain: "demo.example.net", spki_sha256: digest }],
  receipt_signing_keys: [{ key_id: "receipt-1", algo: "ed25519", public_key: receipt }],
});
const [identity, tls, signing] = await Promise.all([
  keys.custody("identity", { algorithm: "ed25519", bytes: Buffer.from(someNode, "hex") }),
  keys.custody("tls", { algorithm: "p256", bytes: spki }),
  keys.custody("receipt", { algorithm: "ed25519", bytes: Buffer.from(receipt, "hex") }),
]);
const facts: CustodyFacts = {
  keyset,
  custody: [identity, tls, signing],
  appId: hexOf(appId),
  roots: [hexOf(provider.rootPublicKey)],
};
const outcome = (changes: Partial<CustodyFacts>): string => judgeKeyCustody({ ...facts, ...changes }).outcome;

describe("the custody of the node's keys", () => {
  it("is proven where every key of the keyset has a chain up to a root that the policy names", () => {
    expect(judgeKeyCustody(facts)).toMatchObject({ outcome: "pass", detail: expect.stringContaining("All 3 keys") });
  });

  it("is not known without a root to compare with, and the root is told", () => {
    const check = judgeKeyCustody({ ...facts, roots: undefined });
    expect(check).toMatchObject({ outcome: "skip", detail: expect.stringContaining(hexOf(provider.rootPublicKey)) });
  });

  it("is not known where a key has no chain, and that key is named", () => {
    const check = judgeKeyCustody({ ...facts, custody: [identity, tls] });
    expect(check).toMatchObject({ outcome: "skip", detail: "There is no chain for receipt-1." });
    expect(outcome({ custody: [] })).toBe("skip");
  });

  it("is not known where the quote binds no keyset, or no application was measured", () => {
    expect(outcome({ keyset: undefined })).toBe("skip");
    expect(outcome({ appId: undefined })).toBe("skip");
  });

  it("is refused under another root, for another application, and with a broken link", () => {
    const other = new AppKeys(new Uint8Array(32).fill(2), appId);
    expect(outcome({ roots: [hexOf(other.rootPublicKey)] })).toBe("fail");
    expect(outcome({ appId: "00".repeat(20) })).toBe("fail");
    const broken: Custody = { ...identity, signature: signing.signature };
    expect(outcome({ custody: [broken, tls, signing] })).toBe("fail");
  });

  it("is refused where the chain is of a key that the keyset does not name", () => {
    expect(outcome({ keyset: someKeyset({ ...keyset, node_id: "11".repeat(32) }) })).toBe("fail");
    // A chain for one use does not stand for another.
    expect(outcome({ custody: [{ ...identity, key: "receipt" }, tls, signing] })).toBe("fail");
  });
});
