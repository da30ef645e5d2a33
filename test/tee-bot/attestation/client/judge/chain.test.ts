import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { judgeChain, type RecordedChain } from "../../../../../tee-bot/attestation/client/judge/chain.ts";

const hostname = "demo.example.net";
const at = Date.parse("2026-06-01T00:00:00Z") / 1000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface Holder {
  certificate: X509Certificate;
  key: webcrypto.CryptoKey;
}

async function issue(
  name: string,
  issuer?: Holder,
  options: { ca?: boolean; from?: string; until?: string } = {},
): Promise<Holder> {
  const { ca = true, from = "2026-01-01", until = "2027-01-01" } = options;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    publicKey: keys.publicKey,
    signingKey: issuer?.key ?? keys.privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(from),
    notAfter: new Date(until),
    extensions: [
      new BasicConstraintsExtension(ca, undefined, true),
      ...(ca ? [] : [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])]),
    ],
  });
  return { certificate, key: keys.privateKey };
}

const pem = ({ certificate }: Holder): string => certificate.toString("pem");
const root = await issue("root");
const middle = await issue("middle", root);
const leaf = await issue(hostname, middle, { ca: false });

function state(changes: Partial<RecordedChain> = {}): string {
  return judgeChain({ hostname, chain: [pem(leaf), pem(middle)], roots: [pem(root)], at, ...changes }).state;
}

describe("a recorded certificate chain", () => {
  it("is trusted where it leads to a trusted root, sent along or not", () => {
    expect(state()).toBe("trusted");
    expect(state({ chain: [pem(leaf), pem(middle), pem(root)] })).toBe("trusted");
    expect(state({ roots: [pem(middle)] })).toBe("trusted");
  });

  it("is not where a link is missing, or the root is another of the same name", async () => {
    expect(state({ chain: [pem(leaf)] })).toBe("untrusted");
    expect(state({ roots: [] })).toBe("untrusted");
    expect(state({ roots: [pem(await issue("root"))] })).toBe("untrusted");
    expect(state({ chain: [pem(leaf), pem(await issue("middle", await issue("root")))] })).toBe("untrusted");
  });

  it("is not where what stands above is no CA", async () => {
    const noCa = await issue("middle", root, { ca: false });
    expect(state({ chain: [pem(await issue(hostname, noCa, { ca: false })), pem(noCa)] })).toBe("untrusted");
  });

  it("is judged at the time of the recording, above the leaf too", async () => {
    expect(state({ at: Date.parse("2025-06-01") / 1000 })).toBe("untrusted");
    expect(state({ at: Date.parse("2027-06-01") / 1000 })).toBe("untrusted");
    const expired = await issue("middle", root, { until: "2026-02-01" });
    expect(state({ chain: [pem(await issue(hostname, expired, { ca: false })), pem(expired)] })).toBe("untrusted");
  });

  it("is somebody else's where the leaf is for another name", () => {
    expect(state({ hostname: "else.example.net" })).toBe("other-name");
    expect(state({ hostname: "192.0.2.1" })).toBe("other-name");
  });
});
