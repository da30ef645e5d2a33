import { beforeAll, describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { parseChain, verifyChain, type ChainRules } from "../../../../shared/attestation/dcap/certificate-chain.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import {
  generateKey,
  issueCertificate,
  publicKeyOf,
  type Holder,
} from "../../../../tee-bot/attestation/simulator/pki/authority.ts";

const now = Date.UTC(2026, 10, 21);
const dayMs = 86_400_000;
let pki: SimulatorPki;

beforeAll(async () => {
  pki = await createSimulatorPki({ now });
});

const pem = (...holders: readonly Holder[]): string =>
  holders.map(({ certificate }) => `${certificate.toString("pem")}\n`).join("");

async function refusal(holders: readonly Holder[], rules: Partial<ChainRules> = {}): Promise<string | undefined> {
  const chain = parseChain(pem(...holders), "The chain");
  const all = { root: pki.root, seconds: now / 1000, length: holders.length, what: "The chain", ...rules };
  return (await attempt(() => verifyChain(chain, all))).fault;
}

async function below(
  issuer: Holder,
  more: { pathLength?: number; fromMs?: number; toMs?: number } = {},
): Promise<Holder> {
  const { pathLength, fromMs = now - dayMs, toMs = now + dayMs } = more;
  const key = generateKey();
  const request = {
    name: "CN=SIMULATOR NOT INTEL test",
    publicKey: publicKeyOf(key),
    notBefore: fromMs,
    notAfter: toMs,
    ...(pathLength === undefined ? {} : { pathLength }),
  };
  return { key, certificate: await issueCertificate(request, issuer) };
}

describe("a chain of certificates", () => {
  it("stands from its leaf to the pinned root", async () => {
    const { pck, platformCa, tcbSigning, root } = pki.material;
    expect(await refusal([pck, platformCa, root])).toBeUndefined();
    expect(await refusal([tcbSigning, root])).toBeUndefined();
    expect(await refusal([platformCa, root], { beginsWithAuthority: true })).toBeUndefined();
  });

  it("is refused in another order, with a certificate left out, or of another length", async () => {
    const { pck, platformCa, root } = pki.material;
    expect(await refusal([platformCa, pck, root])).toMatch(/not made for/);
    expect(await refusal([pck, root])).toMatch(/not signed/);
    expect(await refusal([pck, platformCa])).toMatch(/pinned root/);
    expect(await refusal([pck, platformCa, root], { length: 2 })).toMatch(/3 certificates; 2 are due/);
  });

  it("is refused under a root of the same name", async () => {
    const { pck, platformCa, root } = pki.material;
    const other = await createSimulatorPki({ now });
    expect(await refusal([pck, platformCa, root], { root: other.root })).toMatch(/pinned root/);
    expect(await refusal([pck, platformCa, other.material.root], { root: other.root })).toMatch(/not signed/);
  });

  it("is refused when an authority stands for a leaf, or a leaf for an authority", async () => {
    const { platformCa, tcbSigning, pck, root } = pki.material;
    expect(await refusal([platformCa, root])).toMatch(/not made for/);
    expect(await refusal([tcbSigning, root], { beginsWithAuthority: true })).toMatch(/not made for/);
    expect(await refusal([await below(pck), pck, platformCa, root])).toMatch(/not made for/);
    expect(await refusal([await below(tcbSigning), tcbSigning, root])).toMatch(/not made for/);
  });

  it("is refused before each of its certificates is valid, and after", async () => {
    const { platformCa, root } = pki.material;
    const early = await below(platformCa, { fromMs: now + 1000 });
    const late = await below(platformCa, { toMs: now - 1000 });
    for (const leaf of [early, late]) expect(await refusal([leaf, platformCa, root])).toMatch(/not valid at this time/);
    const ca = await below(root, { pathLength: 0, toMs: now - 1000 });
    expect(await refusal([await below(ca), ca, root])).toMatch(/not valid at this time/);
  });

  it("is not read when it is none, or longer than any", async () => {
    const { pck } = pki.material;
    for (const text of ["", "x", pem(pck, pck, pck, pck, pck)])
      expect((await attempt(() => parseChain(text, "The chain"))).fault).toBe("The chain is no chain of certificates.");
  });
});
