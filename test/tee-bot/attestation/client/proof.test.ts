import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultRequired } from "../../../../shared/attestation/policy.ts";
import { formatProof, parseProof } from "../../../../tee-bot/attestation/client/proof.ts";
import { inspectNode, inspectProof, type Judgement } from "../../../../tee-bot/attestation/client/verify-node.ts";
import type { NodeReport } from "../../../../tee-bot/attestation/verify/verification.ts";
import { startAttestedWorld } from "./support/attested-world.ts";
import { startMiddle } from "./support/middle.ts";

const world = await startAttestedWorld();
afterAll(() => world[Symbol.asyncDispose]());
const roots = [world.certificate.certificate];
const trust = { root: world.pki.root, simulated: true };

interface ProofJson {
  recorded_at: number;
  hostname: string;
  connection: { nonce: string; exporter: string; certificate_chain: string[] };
  evidence: { keyset: { subject: string }; evidence: { quote: string } };
  collateral?: unknown;
  report: { verdict: string };
}

let text = "";
let atTheTime: NodeReport;
beforeAll(async () => {
  const { report, observation } = await inspectNode(world.verifier());
  atTheTime = report;
  text = (observation && formatProof(observation, report)) ?? "";
});

/** Checked again after a change; years later, for all that the clock matters. */
async function again(change: (proof: ProofJson) => void = () => {}, judgement: Judgement = {}): Promise<NodeReport> {
  const proof = JSON.parse(text) as ProofJson;
  change(proof);
  return (await inspectProof(parseProof(JSON.stringify(proof), roots), { trust, ...judgement })).report;
}
/** One bit of the measurements. */
const flip = (quote: string): string => {
  const bytes = Buffer.from(quote, "hex");
  bytes[200] = (bytes[200] ?? 0) ^ 1;
  return bytes.toString("hex");
};
const idsOf = ({ checks }: NodeReport, outcome: string): string[] =>
  checks.filter((check) => check.outcome === outcome).map(({ id }) => id);

describe("a proof file", () => {
  it("is judged again offline as it was then, but for what only the recorder can have seen", async () => {
    const report = await again();
    expect(report.verdict).toBe(atTheTime.verdict);
    expect(report.required).toEqual(defaultRequired.filter((id) => id !== "nonce" && id !== "connection-exporter"));
    expect(idsOf(report, "skip")).toEqual(expect.arrayContaining(["nonce", "connection-exporter"]));
    expect(idsOf(report, "pass")).toEqual(expect.arrayContaining([...report.required]));
    const exporter = report.checks.find(({ id }) => id === "connection-exporter");
    expect(exporter?.detail).toContain("is the word of whoever recorded it");
  });

  it("is judged at its own time, by the recorder's clock, which is said", async () => {
    const detail = (await again()).checks.find(({ id }) => id === "collateral")?.detail;
    expect(detail).toContain("by the clock of whoever recorded it");
    const decades = 30 * 365 * 86_400;
    expect(idsOf(await again((proof) => void (proof.recorded_at += decades)), "fail")).not.toEqual([]);
  });

  it("is unknown to whoever insists on what it cannot show", async () => {
    expect((await again(undefined, { require: ["connection-exporter"] })).verdict).toBe("unknown");
  });

  it.each<[string, (proof: ProofJson) => void, string]>([
    ["another exporter", (proof) => void (proof.connection.exporter = "00".repeat(32)), "connection-exporter"],
    ["another nonce", (proof) => void (proof.connection.nonce = "00".repeat(32)), "nonce"],
    ["another keyset", (proof) => void (proof.evidence.keyset.subject = "else"), "keyset"],
    ["another name", (proof) => void (proof.hostname = "else.example.net"), "name"],
    [
      "a changed quote",
      ({ evidence: { evidence } }) => void (evidence.quote = flip(evidence.quote)),
      "quote-signature",
    ],
  ])("is refused with %s", async (_, change, id) => {
    const report = await again(change);
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toContain(id);
  });

  it("is refused with another certificate than the quote binds", async () => {
    const other = await startAttestedWorld();
    await other[Symbol.asyncDispose]();
    const report = await again((proof) => void (proof.connection.certificate_chain = [other.certificate.certificate]));
    expect(idsOf(report, "fail")).toContain("connection-key");
  });

  it("is not known without the vendor's word", async () => {
    expect((await again((proof) => void delete proof.collateral)).verdict).toBe("unknown");
  });

  it("does not believe the verdict in it", async () => {
    await using middle = await startMiddle(world.server.port, world.certificate);
    const { report, observation } = await inspectNode(world.verifier(middle.port));
    const proof = JSON.parse((observation && formatProof(observation, report)) ?? "") as ProofJson;
    expect(proof.report.verdict).toBe("refused");
    proof.report.verdict = "verified";
    const checked = await inspectProof(parseProof(JSON.stringify(proof), roots), { trust });
    expect(checked.report.verdict).toBe("refused");
  });

  it("is refused by whoever did not name the simulator's root", async () => {
    expect((await again(undefined, { trust: undefined })).verdict).toBe("refused");
  });

  it.each(["", "{", "[]", '{"version":"postern.proof/2"}', "null"])("is none: %s", (broken) => {
    expect(() => parseProof(broken, roots)).toThrow("It is no proof file");
  });

  it("is none with a certificate that cannot be read, or whose key cannot", () => {
    const { raw } = world.certificate.leaf;
    const point = raw.indexOf(Buffer.from("03420004", "hex")); // BIT STRING of an uncompressed point
    const withoutKey = Buffer.concat([raw.subarray(0, point + 3), Buffer.of(9), raw.subarray(point + 4)]);
    for (const der of [Buffer.alloc(3), withoutKey]) {
      const proof = JSON.parse(text) as ProofJson;
      const pem = `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
      proof.connection.certificate_chain = [pem];
      expect(() => parseProof(JSON.stringify(proof), roots)).toThrow("a certificate in it cannot be read");
    }
  });
});
