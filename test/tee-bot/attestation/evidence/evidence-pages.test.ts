import { createHash, randomBytes } from "node:crypto";
import { connect as connectHttp2 } from "node:http2";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { aciReportData } from "../../../../shared/attestation/aci-statement.ts";
import { evidencePath, type Evidence } from "../../../../shared/attestation/evidence.ts";
import { keysetDigest, keysetSchema } from "../../../../shared/attestation/keyset.ts";
import { policySchema } from "../../../../shared/attestation/policy.ts";
import { connectionReportData, exporterBytes, exporterLabel } from "../../../../shared/attestation/report-data.ts";
import { decideStanding } from "../../../../tee-bot/attestation/evidence/standing.ts";
import { verifyQuote } from "../../../../tee-bot/attestation/verify/verify-quote.ts";
import { answering, startRawService } from "../../support/raw-service.ts";
import { provenHost, startProvenName, type ProvenName, type ProvenNameOptions } from "../support/proven-name.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const start = async (options?: ProvenNameOptions): Promise<ProvenName> => stack.use(await startProvenName(options));
const newNonce = (): string => randomBytes(32).toString("hex");
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const good = async (name: ProvenName): Promise<void> =>
  expect.poll(() => JSON.stringify(name.proof.standing), { timeout: 10_000 }).toContain('"good"');

/** As a visitor computes it, from what he sees himself. */
async function expectedReportData(socket: TLSSocket, nonce: string, evidence: Evidence): Promise<string> {
  const spki = socket.getPeerX509Certificate()!.publicKey.export({ type: "spki", format: "der" });
  const exporter = socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.from(nonce, "hex"));
  return hex(
    await connectionReportData({
      keysetDigest: await keysetDigest(evidence.keyset),
      spkiSha256: createHash("sha256").update(spki).digest(),
      exporter,
      nonce: Buffer.from(nonce, "hex"),
    }),
  );
}

describe("the evidence of a connection", () => {
  it("is accepted by the node's own verifier under the simulator's root, and binds what the visitor sees", async () => {
    const name = await start();
    await good(name);
    const socket = await name.dial({ ALPNProtocols: ["http/1.1"] });
    const nonce = newNonce();
    const evidence = await name.evidence(socket, nonce);
    const reportData = await expectedReportData(socket, nonce, evidence);
    expect(evidence).toMatchObject({ nonce, report_data: reportData, node_id: name.keys.identity.id, simulated: true });
    expect(evidence.keyset.tls_public_keys.map(({ domain }) => domain)).toEqual([provenHost]);
    expect(evidence.custody.map(({ key }) => key)).toEqual(["identity", "tls", "receipt", "e2ee"]);
    expect(evidence.collateral?.source).toBe(name.simulator.pcs);
    const { checks } = await verifyQuote(
      {
        evidence: evidence.evidence,
        collateral: evidence.collateral?.documents,
        reportData: Buffer.from(reportData, "hex"),
        at: { seconds: Math.ceil(Date.now() / 1000), clock: "this machine's" },
      },
      policySchema.parse({}),
      { root: name.simulator.pki.root, simulated: true },
    );
    expect(checks.find(({ id }) => id === "nonce")?.outcome).toBe("pass");
    expect(decideStanding(checks, { spkiSha256: "", simulated: true, at: 0 }).state).toBe("good");
  });

  it("is of the very TLS connection under HTTP/2 too", async () => {
    const name = await start();
    const socket = await name.dial({ ALPNProtocols: ["h2"] });
    const nonce = newNonce();
    const exporter = socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.from(nonce, "hex"));
    const evidence = await name.evidenceOverHttp2(socket, nonce);
    expect(evidence.connection.exporter).toBe(hex(exporter));
    expect(evidence.connection.spki_sha256).toBe(createHash("sha256").update(name.keys.tls.spki).digest("hex"));
  });

  it("differs on another connection with the same nonce, and with another nonce on the same", async () => {
    const name = await start();
    const [one, other] = [await name.dial(), await name.dial()];
    const nonce = newNonce();
    const first = await name.evidence(one, nonce);
    const again = await name.evidence(one, newNonce());
    const elsewhere = await name.evidence(other, nonce);
    expect(new Set([first, again, elsewhere].map(({ report_data }) => report_data)).size).toBe(3);
    expect(elsewhere.report_data).toBe(await expectedReportData(other, nonce, elsewhere));
    expect(elsewhere.connection.exporter).not.toBe(first.connection.exporter);
    expect(first.keyset_digest).toBe(elsewhere.keyset_digest);
  });

  it("tells a stranger nothing of why the guest agent fails, or where it is", async () => {
    const name = await start();
    await good(name);
    name.simulator.faults.withoutQuotes = true;
    const { status, body } = await name.ask(`${evidencePath}?nonce=${newNonce()}`, { socket: await name.dial() });
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([502, "upstream-unavailable"]);
    expect(body).toContain("the node's log says why");
    expect(body).not.toMatch(/dstack\.sock|GetQuote|«/);
  });

  it.each([
    ["without a nonce", evidencePath],
    ["with a nonce in capitals", `${evidencePath}?nonce=${"A".repeat(64)}`],
    ["with a short nonce", `${evidencePath}?nonce=00`],
  ])("is refused %s, in a sentence", async (_, path) => {
    const { status, headers, body } = await (await start()).ask(path);
    expect([status, headers["content-type"]]).toEqual([400, "application/problem+json"]);
    expect((JSON.parse(body) as { detail: string }).detail).toMatch(/nonce.*64 lower-case hex/);
  });

  it("is not told on a connection of TLS 1.2, whose exporter may be another's too", async () => {
    const name = await start();
    const socket = await name.dial({ maxVersion: "TLSv1.2" });
    const { status, body } = await name.ask(`${evidencePath}?nonce=${newNonce()}`, { socket });
    expect(status).toBe(400);
    expect(body).toContain("Use TLS 1.3");
  });

  it("may be read by any page, is kept by nobody, and is asked for with GET", async () => {
    const name = await start();
    const path = `${evidencePath}?nonce=${newNonce()}`;
    const { headers } = await name.ask(path);
    expect(headers).toMatchObject({ "access-control-allow-origin": "*", "cache-control": "no-store" });
    const preflight = await name.ask(path, { method: "OPTIONS" });
    expect([preflight.status, preflight.headers["access-control-allow-methods"]]).toEqual([204, "GET"]);
    const posted = await name.ask(path, { method: "POST" });
    expect([posted.status, posted.headers.allow]).toEqual([405, "GET, OPTIONS"]);
  });

  it("is shown by the node itself when another service is behind the name", async () => {
    const service = stack.use(await startRawService(answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")));
    const name = await start({ target: { kind: "http", origin: service.origin } });
    expect((await name.ask("/")).body).toBe("hi");
    expect((await name.ask(`${evidencePath}x`)).body).toBe("hi");
    const nonce = newNonce();
    expect(JSON.parse((await name.ask(`${evidencePath}?nonce=${nonce}`)).body)).toMatchObject({ nonce });
  });

  it("keeps the compose text to itself where the operator says so", async () => {
    const name = await start({ appCompose: false });
    await good(name);
    const evidence = await name.evidence(await name.dial(), newNonce());
    expect(evidence.evidence.app_compose).toBeUndefined();
    expect(evidence.images).toEqual([]);
    expect((await name.ask("/v1/aci/attestation")).body).not.toContain("app_compose");
  });

  it("is told so often and no oftener", async () => {
    const name = await start();
    const statuses = await Promise.all(
      Array.from({ length: 70 }, async () => (await name.ask(`/v1/aci/attestation?nonce=${newNonce()}`)).status),
    );
    expect(statuses).toContain(429);
    const { status, headers } = await name.ask(`${evidencePath}?nonce=${newNonce()}`);
    expect([status, Number(headers["retry-after"]) > 0]).toEqual([429, true]);
  });
});

describe("a visitor who leaves before the answer", () => {
  it.each(["http/1.1", "h2"])("gives up his place over %s, and the next one is served", async (protocol) => {
    const name = await start({ simulator: { quoteMs: 400 } });
    const target = `${evidencePath}?nonce=${newNonce()}`;
    // As many as may wait at once for one visitor, and one whose quote is being made.
    const leaving = await Promise.all([1, 2, 3, 4, 5].map(() => name.dial({ ALPNProtocols: [protocol] })));
    for (const socket of leaving)
      if (protocol === "h2") {
        const session = connectHttp2(`https://${provenHost}`, { createConnection: () => socket });
        session
          .request({ ":path": target })
          .on("error", () => {})
          .end();
        session.on("error", () => {});
      } else socket.write(`GET ${target} HTTP/1.1\r\nhost: ${provenHost}\r\n\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const socket of leaving) socket.destroy();
    expect((await name.ask(target)).status).toBe(200);
    expect(name.log.events.filter(({ event }) => event === "evidence.failed")).toEqual([]);
  });
});

interface AciReport {
  api_version: string;
  workload_keyset_digest: string;
  attestation: {
    tee_type: string;
    workload_keyset: unknown;
    report_data: string;
    source_provenance: Record<string, unknown>;
    evidence: Record<string, unknown> & { quote: string; quote_report_data: string };
  };
  service_capabilities: Record<string, unknown>;
}

describe("the ACI report", () => {
  const read = async (name: ProvenName, query = "", headers = {}): Promise<AciReport> =>
    JSON.parse((await name.ask(`/v1/aci/attestation${query}`, { headers })).body) as AciReport;

  it("binds keyset and nonce as the specification has it", async () => {
    const name = await start();
    const nonce = newNonce();
    const { status, headers, body } = await name.ask(`/v1/aci/attestation?nonce=${nonce}`);
    const report = JSON.parse(body) as AciReport;
    const keyset = keysetSchema.parse(report.attestation.workload_keyset);
    const digest = hex(await keysetDigest(keyset));
    expect([status, report.api_version, report.workload_keyset_digest]).toEqual([200, "aci/1", `sha256:${digest}`]);
    expect(headers).toMatchObject({ "x-aci-version": "aci/1", "x-aci-keyset-digest": `sha256:${digest}` });
    const reportData = hex(await aciReportData(digest, nonce));
    expect(report.attestation.report_data).toBe(reportData.slice(0, 64));
    expect(report.attestation.evidence.quote_report_data).toBe(reportData);
    // Where the report data stands in a TDX quote of version 4: header 48, then 520 bytes of the body.
    expect(report.attestation.evidence.quote.slice(2 * 568, 2 * 632)).toBe(reportData);
    expect(report.attestation).toMatchObject({
      tee_type: "tdx",
      source_provenance: { repo_url: null, repo_commit: null, image_provenance: null },
      evidence: {
        simulated: true,
        event_log: expect.stringMatching(/^\[/) as string,
        app_compose: expect.any(String) as string,
        key_custody: { provider: "dstack-kms" },
        downstream_tls_binding: { domain: provenHost, spki_sha256: keyset.tls_public_keys[0]?.spki_sha256 },
      },
    });
    expect(report.service_capabilities).toEqual({
      supported_e2ee_versions: [],
      serving: "aggregator",
      simulated: true,
    });
  });

  it("lists the receipt key that the key provider's chain is for", async () => {
    const { attestation } = await read(await start());
    const keyset = keysetSchema.parse(attestation.workload_keyset);
    const custody = attestation.evidence["key_custody"] as { keys: Record<string, unknown>[] };
    const receipt = custody.keys.find(({ role }) => role === "receipt");
    expect(receipt?.["public_key"]).toBe(keyset.receipt_signing_keys[0]?.public_key);
    expect(receipt?.["kms_public_key"]).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(receipt?.["signature_chain"]).toHaveLength(2);
  });

  it("shows the same quote to all without a nonce, and another for each nonce", async () => {
    const name = await start();
    const quotes = await Promise.all([read(name), read(name), read(name, "", { host: "elsewhere.test" })]);
    expect(new Set(quotes.map(({ attestation }) => attestation.evidence.quote)).size).toBe(1);
    expect(quotes[2].attestation.evidence["downstream_tls_binding"]).toBeUndefined();
    const [nonce, other] = [newNonce(), newNonce()];
    const fresh = await Promise.all([nonce, other, nonce].map((one) => read(name, `?nonce=${one}`)));
    expect(new Set(fresh.map(({ attestation }) => attestation.evidence.quote)).size).toBe(2);
  });

  it("refuses a nonce of another form as OpenAI's API does", async () => {
    const { status, body } = await (await start()).ask("/v1/aci/attestation?nonce=short");
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ error: { type: "invalid_request_error", code: "bad_request" } });
  });
});

describe("without a TEE", () => {
  it("both places say that there is none, and why", async () => {
    const name = await start({ absent: true });
    const shown = await name.ask(`${evidencePath}?nonce=${newNonce()}`);
    expect([shown.status, JSON.parse(shown.body)]).toMatchObject([503, { code: "tee-absent" }]);
    expect(shown.body).toContain("attestation.tee is off");
    const report = await name.ask("/v1/aci/attestation");
    expect([report.status, JSON.parse(report.body)]).toMatchObject([503, { error: { code: "tee_absent" } }]);
  });
});
