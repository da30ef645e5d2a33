/** `verifyNode` against a node of the simulator: honest, with somebody in the middle, and with evidence that is not its own. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { defaultRequired, policySchema, type PolicyInput } from "../../../../shared/attestation/policy.ts";
import type { Evidence } from "../../../../shared/attestation/evidence.ts";
import { exporterBytes, exporterLabel } from "../../../../shared/attestation/report-data.ts";
import { intelRoot } from "../../../../shared/attestation/dcap/intel-root.ts";
import { labelOfNodeId, parseNodeId } from "../../../../shared/registry/node-id.ts";
import type { NodeReport } from "../../../../tee-bot/attestation/verify/verification.ts";
import { verifyNode, type VerifyNodeOptions } from "../../../../tee-bot/attestation/client/verify-node.ts";
import { createTestCertificate } from "../../../support/certificate.ts";
import { startMiddlebox } from "../../../support/middlebox.ts";
import { startAttestedWorld } from "./support/attested-world.ts";
import { someNode } from "./support/evidence.ts";
import { startMiddle } from "./support/middle.ts";

const dayMs = 86_400_000;
const world = await startAttestedWorld();
const { server, certificate } = world;
let stack = new AsyncDisposableStack();
afterEach(async () => {
  server.tamper = (document) => document;
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});
afterAll(() => world[Symbol.asyncDispose]());

const verify = (changes: Partial<VerifyNodeOptions> = {}, port?: number): Promise<NodeReport> =>
  verifyNode({ ...world.verifier(port), ...changes });
const withPolicy = (policy: PolicyInput): Promise<NodeReport> => verify({ policy: policySchema.parse(policy) });
const idsOf = ({ checks }: NodeReport, outcome: string): string[] =>
  checks.filter((check) => check.outcome === outcome).map(({ id }) => id);

describe("a node that shows its evidence", () => {
  it("passes every required check, and is called simulated under a simulator's root", async () => {
    const report = await verify();
    expect(idsOf(report, "fail")).toEqual([]);
    expect(idsOf(report, "pass")).toEqual(expect.arrayContaining([...defaultRequired]));
    expect(report).toMatchObject({ verdict: "simulated", reason: expect.stringContaining("proves nothing") });
    expect(report.measured?.composeHash).toBe(world.machine.composeHash.toString("hex"));
  });

  it("is refused by whoever did not name the simulator's root, whatever it says of itself", async () => {
    server.tamper = (document) => ({ ...document, simulated: false });
    const report = await verify({ trust: { root: intelRoot, simulated: false } });
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(expect.arrayContaining(["quote-signature", "hardware"]));
    expect((await verify({ trust: { root: world.pki.root, simulated: false } })).verdict).toBe("refused");
  });

  it("passes through a relay that moves bytes", async () => {
    const relay = stack.use(await startMiddlebox(server.port, () => "pass"));
    expect((await verify({}, relay.port)).verdict).toBe("simulated");
  });

  it("passes on each connection anew, under a nonce of its own", async () => {
    const nonces = new Set<string>();
    server.tamper = (document) => {
      nonces.add(document.nonce);
      return document;
    };
    for (let i = 0; i < 3; i++) expect((await verify()).verdict).toBe("simulated");
    expect(nonces.size).toBe(3);
  });
});

describe("somebody in the middle", () => {
  it("with the stolen key and certificate is refused by the exporter, and by nothing else", async () => {
    const middle = stack.use(await startMiddle(server.port, certificate));
    const report = await verify({}, middle.port);
    expect(middle.overheard).toContain('"keyset_digest"'); // it did read what the node said
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["connection-exporter"]);
    expect(report.reason).toContain("somebody ends TLS in between, even if with the same key");
  });

  it("with the stolen key is refused, too, when it writes the value of this connection into the evidence", async () => {
    const middle = stack.use(await startMiddle(server.port, certificate));
    middle.rewrite = (answer, near) => {
      const [, nonce = "", exporter = ""] = /"nonce":"(\w+)"[^]*"exporter":"(\w+)"/.exec(answer) ?? [];
      const own = near.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.from(nonce, "hex")).toString("hex");
      return answer.replace(exporter, own);
    };
    const report = await verify({}, middle.port);
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["connection-exporter"]);
  });

  it("with a certificate of its own for the name is refused by the key", async () => {
    const own = await createTestCertificate({ hostnames: ["demo.postern.localhost"] });
    const middle = stack.use(await startMiddle(server.port, own));
    const report = await verify({ roots: [own.certificate] }, middle.port);
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toContain("connection-key");
    expect(report.reason).toContain("somebody is in between");
  });

  it("with a TEE of its own is refused where the name or the caller says which node it is", async () => {
    const name = `${labelOfNodeId(parseNodeId(someNode))}.postern.localhost`;
    const other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const theirs = stack.use(await startAttestedWorld({ hostname: name, keyset: { node_id: other } }));
    const report = await verifyNode(theirs.verifier());
    expect(idsOf(report, "fail")).toEqual(["name"]);
    expect(report.verdict).toBe("refused");
  });
});

describe("evidence that is not of this connection", () => {
  /** What the node showed on another connection. */
  async function recorded(): Promise<Evidence> {
    const { promise, resolve } = Promise.withResolvers<Evidence>();
    server.tamper = (document) => {
      resolve(document);
      return document;
    };
    await verify();
    return promise;
  }

  it("is refused when it is replayed", async () => {
    const old = await recorded();
    server.tamper = () => old;
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["nonce", "connection-exporter"]);
  });

  it("is refused when it is replayed under the new nonce", async () => {
    const old = await recorded();
    server.tamper = ({ nonce, connection }) => ({ ...old, nonce, connection });
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["connection-exporter"]);
  });

  it("is refused when its quote is another one of the same machine", async () => {
    server.tamper = (document) => ({ ...document, evidence: world.quote(new Uint8Array(64).fill(7)) });
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["connection-exporter"]);
  });

  it("is refused when its keyset has a key more than the quote binds", async () => {
    server.tamper = (document) => ({
      ...document,
      keyset: { ...document.keyset, e2ee_public_keys: [{ key_id: "mine", algo: "x25519", public_key: "00" }] },
    });
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["keyset"]);
  });

  it("is refused when the compose text is not the measured one", async () => {
    server.tamper = (document) => ({
      ...document,
      evidence: { ...document.evidence, app_compose: `${document.evidence.app_compose} ` },
    });
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(idsOf(report, "fail")).toEqual(["compose"]);
  });
});

describe("the vendor's word on the platform", () => {
  it("is refused when it is out of date, and unknown when there is none", async () => {
    const stale = stack.use(await startAttestedWorld({ collateralOf: Date.now() - 60 * dayMs }));
    const refused = await verifyNode(stale.verifier());
    expect(refused.verdict).toBe("refused");
    expect(idsOf(refused, "fail")).toEqual(["collateral"]);
    const silent = stack.use(await startAttestedWorld({ collateralOf: undefined }));
    expect((await verifyNode(silent.verifier())).verdict).toBe("unknown");
  });

  it("is taken from where we ask ourselves, and from the node where nobody can be asked; the check says which", async () => {
    const detailOf = ({ checks }: NodeReport): string => checks.find(({ id }) => id === "collateral")?.detail ?? "";
    const documents = await world.pki.createCollateral({ now: Date.now(), status: "OutOfDate" });
    const asked = await verify({
      askCollateral: () => Promise.resolve({ documents, retrievedAt: 1_800_000_000, source: "asked of the test" }),
    });
    expect(idsOf(asked, "fail")).toEqual(["tcb-status"]);
    expect(detailOf(asked)).toContain("It was asked of the test, of 2027-01-15 08:00 UTC.");
    const failing = await verify({ askCollateral: () => Promise.reject(new Error("no way there")) });
    expect(failing.verdict).toBe("simulated");
    expect(detailOf(failing)).toMatch(
      /It was shown by the node, from https:\/\/pccs\.example, .* ourselves: no way there/,
    );
  });
});

describe("a policy", () => {
  it("pins code and node", async () => {
    const composeHash = world.machine.composeHash.toString("hex");
    expect((await withPolicy({ compose: [composeHash], node: someNode })).verdict).toBe("simulated");
    expect(idsOf(await withPolicy({ compose: ["00".repeat(32)] }), "fail")).toEqual(["compose"]);
    expect(idsOf(await withPolicy({ node: "00".repeat(32) }), "fail")).toEqual(["name"]);
  });

  it("may require what was not looked at: then nothing is known", async () => {
    const report = await verify({ require: ["gpu"] });
    expect(report).toMatchObject({
      verdict: "unknown",
      reason: expect.stringContaining("The GPU's own evidence is good"),
    });
  });
});

describe("a node that cannot be asked", () => {
  it("is unknown, with the reason", async () => {
    const gone = await startAttestedWorld();
    const options = gone.verifier();
    await gone[Symbol.asyncDispose]();
    expect(await verifyNode(options)).toMatchObject({
      verdict: "unknown",
      reason: expect.stringMatching(/cannot be reached: nothing listens there\.$/),
      checks: [],
    });
  });

  it("is refused where it answers and shows no evidence", async () => {
    server.respond = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    const report = await verify();
    server.respond = () => false;
    expect(report).toMatchObject({
      verdict: "refused",
      reason: expect.stringContaining("shows no evidence"),
      checks: [],
    });
  });
});
