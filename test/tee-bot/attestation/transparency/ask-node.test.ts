import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policySchema } from "../../../../shared/attestation/policy.ts";
import type { Keyset } from "../../../../shared/attestation/keyset.ts";
import { attestedKeysOf, createAskNode } from "../../../../tee-bot/attestation/transparency/ask-node.ts";
import type { AttestedKeys } from "../../../../tee-bot/attestation/transparency/known-keys.ts";
import type { NodeReport } from "../../../../tee-bot/attestation/verify/verification.ts";
import { startAttestedWorld, type AttestedWorld } from "../client/support/attested-world.ts";

const name = "demo.postern.localhost";
const never = new AbortController().signal;

async function ask(
  world: AttestedWorld,
  options: Partial<Parameters<typeof createAskNode>[0]> = {},
): Promise<AttestedKeys> {
  const { roots, trust } = world.verifier();
  return createAskNode({ roots, trust, connect: `127.0.0.1:${world.server.port}`, ...options })(name, never);
}

describe("a node that is asked", () => {
  let world: AttestedWorld;
  beforeAll(async () => {
    world = await startAttestedWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it("attests the key of its certificate, and no account where there is none", async () => {
    const keys = await ask(world);
    expect(keys).toEqual({
      spkiSha256: [expect.stringMatching(/^[0-9a-f]{64}$/)],
      acmeAccounts: undefined,
      simulated: true,
    });
  });

  it.each([
    ["whose root is not named", { trust: undefined }],
    ["whose code the policy does not name", { policy: policySchema.parse({ compose: ["0a".repeat(32)] }) }],
    ["that nobody vouches for", { roots: [] }],
    ["that is not there", { connect: "127.0.0.1:9" }],
  ])("%s attests nothing", async (_, options) => {
    await expect(ask(world, options)).rejects.toThrow("evidence-rejected");
  });

  it("has to show a keyset that the quote names, whatever a policy requires", async () => {
    const policy = policySchema.parse({ required: ["nonce"] });
    world.server.tamper = (document) => ({
      ...document,
      keyset: { ...document.keyset, tls_public_keys: [{ domain: name, spki_sha256: "ab".repeat(32) }] },
    });
    await expect(ask(world, { policy })).rejects.toThrow("evidence-rejected");
    world.server.tamper = (document) => document;
    expect((await ask(world, { policy })).spkiSha256).toHaveLength(1);
  });
});

it("attests nothing while its quote's signature cannot be checked, even where a policy does not require that", async () => {
  await using world = await startAttestedWorld({ collateralOf: undefined });
  const policy = policySchema.parse({ required: ["nonce"] });
  await expect(ask(world, { policy })).rejects.toThrow("evidence-rejected");
});

it("attests its accounts", async () => {
  const keyset: Partial<Keyset> = { acme_accounts: ["https://ca.example/acct/1"] };
  await using world = await startAttestedWorld({ keyset });
  expect((await ask(world)).acmeAccounts).toEqual(["https://ca.example/acct/1"]);
});

it("of the keys in a keyset those for the name count, and those of a wildcard that covers it", () => {
  const digests = ["01", "02", "03"].map((byte) => byte.repeat(32));
  const domains = [name, "other.postern.localhost", "*.postern.localhost"];
  const keyset = { tls_public_keys: domains.map((domain, at) => ({ domain, spki_sha256: digests[at] })) };
  const report = { verdict: "verified", reason: ".", shown: { keyset } } as unknown as NodeReport;
  expect(attestedKeysOf(report, name)).toEqual({
    spkiSha256: [digests[0], digests[2]],
    acmeAccounts: undefined,
    simulated: false,
  });
  for (const verdict of ["refused", "unknown"] as const)
    expect(() => attestedKeysOf({ ...report, verdict }, name)).toThrow("evidence-rejected");
});
