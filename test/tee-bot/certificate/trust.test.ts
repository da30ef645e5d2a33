import { describe, expect, it } from "vitest";
import { issuerName, parseCertificate } from "../../../tee-bot/certificate/certificate.ts";
import { decideTrust } from "../../../tee-bot/certificate/trust.ts";
import { issue, newTlsKey, rootPem } from "../support/issue.ts";

const chain = await issue(newTlsKey(), { hostnames: ["a.test"], notBefore: 0, notAfter: Date.now() + 86_400_000 });
const certificate = parseCertificate(chain);

describe("decideTrust", () => {
  it("takes the roots that the edge names", () => {
    const trust = decideTrust({ trust: "private", roots: ["root"] }, certificate);
    expect(trust).toEqual({ roots: ["root"], partial: false });
  });

  it("leaves a public CA to the system's roots", () => {
    expect(decideTrust({ trust: "public", roots: [] }, certificate)).toEqual({ roots: [], partial: false });
  });

  it("knows a private CA without known roots by the chain that it sent", () => {
    const { roots, partial } = decideTrust({ trust: "private", roots: [] }, certificate);
    expect(partial).toBe(true);
    expect(roots.map((root) => root.trim())).toEqual([rootPem.trim()]);
  });

  it("knows it by the certificate itself where it sent nothing else", () => {
    const alone = parseCertificate(chain.slice(0, chain.indexOf("END CERTIFICATE") + 21));
    expect(decideTrust({ trust: "private", roots: [] }, alone)).toEqual({ roots: [alone.chain], partial: true });
  });
});

describe("issuerName", () => {
  const named: [issuer: string, name: string][] = [
    ["C=US\nO=Let's Encrypt\nCN=E7", "Let's Encrypt E7"],
    ["CN=Pebble Intermediate CA 4711", "Pebble Intermediate CA 4711"],
    ["O=Example", "Example"],
    ["O=Example\nCN=Example Root = 1", "Example Root = 1"],
    ["", "unknown"],
  ];
  it.each(named)("of %j is «%s»", (issuer, name) => {
    expect(issuerName({ issuer } as typeof certificate.leaf)).toBe(name);
  });
});
