import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { policySchema } from "../../shared/attestation/policy.ts";
import { systemClock } from "../../shared/clock.ts";
import type { AttestedSession } from "../../tee-bot/attestation/near/attested-session.ts";
import { nearSession } from "../../tee-bot/attestation/near/near-session.ts";
import { SessionStore } from "../../tee-bot/attestation/near/sessions.ts";
import { verifyModel } from "../../tee-bot/attestation/near/verify-model.ts";
import { createSimulatorPki } from "../../tee-bot/attestation/simulator/pki.ts";
import { startPcsServer } from "../../tee-bot/attestation/simulator/pcs/pcs-server.ts";
import { verifyQuote } from "../../tee-bot/attestation/verify/verify-quote.ts";
import { viewSessions } from "../../tee-bot/gateway/receipts/session-view.ts";
import { aciPages } from "../../tee-bot/gateway/pages/aci-pages.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { NearCloud, nearModel } from "../support/near/near-cloud.ts";
import { startAttestedWorld } from "../tee-bot/attestation/client/support/attested-world.ts";
import { recordingLog } from "../tee-bot/support/log.ts";

const script = join(import.meta.dirname, "../../scripts/verify-tee.ts");
const timeout = 60_000;
const key = "sk-of-the-test";
const stack = new AsyncDisposableStack();
const world = stack.use(await startAttestedWorld());
const { pki } = world;
const otherPki = await createSimulatorPki({ now: Date.now() });
const cloud = stack.use(await new NearCloud({ pki, otherPki }).start());
const log = recordingLog();
const pcs = stack.use(await startPcsServer({ pki, port: 0, clock: systemClock, log, collateral: () => ({}) }));
const folder = stack.use(temporaryFolder());
const ca = join(folder.path, "ca.pem");
const root = join(folder.path, "root.pem");
writeFileSync(ca, world.certificate.certificate);
writeFileSync(root, pki.rootPem);

let sessions = new SessionStore();
/** The gateway's own pages of sessions, for whoever has the key. */
const api = createServer((request, response) => {
  void (async () => {
    if (request.headers.authorization !== `Bearer ${key}`) return void response.writeHead(401).end();
    const pages = aciPages({ receipts: undefined, sessions: viewSessions(sessions) });
    const answer = await pages.fetch(new Request(`http://api${request.url}`));
    response.writeHead(answer.status).end(await answer.text());
  })();
}).listen(0, "127.0.0.1");
await once(api, "listening");
stack.defer(() => void api.close());
const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/v1`;

let good: AttestedSession;
beforeAll(async () => {
  const collateral = await pki.createCollateral({ now: Date.now() });
  const report = await verifyModel(nearModel, AbortSignal.timeout(timeout), {
    api: { origin: cloud.url, basePath: "/v1", headers: ["authorization", "Bearer sk-test"] },
    algorithm: "ecdsa",
    verifyQuote,
    policy: policySchema.parse({}),
    trust: { root: pki.root, simulated: true },
    collateral: () => Promise.resolve(collateral),
    gpuService: "http://127.0.0.1:1",
    fetch,
    clock: systemClock,
  });
  good = nearSession(report, { upstreamName: "near-ai", endpoint: `${cloud.url}/v1`, isPinned: false });
  sessions.add("near-ai", nearModel, good);
});
afterEach(() => {
  sessions = new SessionStore();
  sessions.add("near-ai", nearModel, good);
  world.server.tamper = (document) => document;
});
afterAll(() => stack.disposeAsync());

async function verify(args: readonly string[] = [], env: Record<string, string> = { POSTERN_API_KEY: key }) {
  const node = `https://demo.postern.localhost:${world.server.port}`;
  const usual = [node, "--api", apiUrl, "--cacert", ca, "--simulator-root", root, "--collateral", pcs.url];
  const child = spawn(process.execPath, [script, ...usual, ...args], { timeout, env: { ...process.env, ...env } });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const text = { all: "" };
    stream.setEncoding("utf8").on("data", (part: string) => void (text.all += part));
    return text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout: stdout?.all ?? "", stderr: stderr?.all ?? "" };
}

/** What the node shows under the id of the good one. */
function showInstead(change: (text: string) => string): void {
  const document = JSON.parse(change(JSON.stringify(good.document))) as object;
  sessions = new SessionStore();
  sessions.add("near-ai", nearModel, { id: good.id, document });
}

describe("scripts/verify-tee", { timeout }, () => {
  it("judges the node and each model that it says to have verified, in a table", async () => {
    const { code, stdout, stderr } = await verify(["--model", nearModel]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^SIMULATED\nLAYER {2}SUBJECT/);
    expect(stdout).toMatch(/^node {3}https:\/\/demo\.postern\.localhost:\d+ +simulated/m);
    expect(stdout).toMatch(/^model {2}zai-org\/GLM-5\.1-FP8 at near-ai +simulated {2}\d+ s/m);
    expect(code).toBe(0);
  });

  it("says the same as JSON, with every check", async () => {
    const { code, stdout } = await verify(["--json"]);
    const report = JSON.parse(stdout) as { models: { checks: { id: string; outcome: string }[] }[] };
    expect(report).toMatchObject({ version: "postern.verify-tee/1", verdict: "simulated", exit_code: 0 });
    expect(report.models[0]?.checks.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["gateway-quote", "pass"],
      ["model-quote", "pass"],
      ["model-key", "pass"],
      ["model-gpu", "skip"],
    ]);
    expect(code).toBe(0);
  });

  it("refuses a node whose evidence is bad, and one that shows other evidence than its session is of", async () => {
    world.server.tamper = (document) => ({ ...document, nonce: "00".repeat(32) });
    const node = await verify();
    expect(node.code).toBe(1);
    expect(node.stdout).toMatch(/^REFUSED\n/);
    world.server.tamper = (document) => document;
    showInstead((text) => text.replace(`"upstream_name":"near-ai"`, `"upstream_name":"near-bi"`));
    const session = await verify();
    expect(session.code).toBe(2);
    expect(session.stdout).toContain("is not the session of that id");
  });

  it("could not check a model that is not there, nor without the key", async () => {
    const missing = await verify(["--model", "another/model"]);
    expect(missing.code).toBe(2);
    expect(missing.stdout).toMatch(/^UNKNOWN\n/);
    const closed = await verify([], { POSTERN_API_KEY: "sk-wrong" });
    expect(closed.code).toBe(2);
    expect(closed.stdout).toContain("wants another key");
    expect(closed.stdout).not.toContain("sk-wrong");
  });

  it("refuses models of a simulator whose root was not named", async () => {
    const other = join(folder.path, "other.pem");
    writeFileSync(other, otherPki.rootPem);
    const { code, stdout } = await verify(["--simulator-root", other]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^model .* refused/m);
  });

  it("says what is wrong with the command", async () => {
    const { code, stderr } = await verify(["another-node"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Give one node");
  });
});
