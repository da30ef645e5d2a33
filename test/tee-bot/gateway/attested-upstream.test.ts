import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Check } from "../../../shared/attestation/check.ts";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import { systemClock } from "../../../shared/clock.ts";
import { ReceiptKey } from "../../../tee-bot/attestation/evidence/listed-keys.ts";
import { SessionStore } from "../../../tee-bot/attestation/near/sessions.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../tee-bot/attestation/simulator/pki.ts";
import { verifyQuote } from "../../../tee-bot/attestation/verify/verify-quote.ts";
import { createGateway } from "../../../tee-bot/gateway/gateway.ts";
import { gatewaySettingsSchema } from "../../../tee-bot/gateway/settings.ts";
import { listenLocal } from "../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../tee-bot/server/local-http.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { verifyAsIfHardware } from "../../support/near/as-if-hardware.ts";
import { NearCloud, nearModel, type NearFault, type NearTls } from "../../support/near/near-cloud.ts";
import { NearMachine } from "../../support/near/near-machine.ts";
import { createTrustedTls } from "../../support/near/near-tls.ts";
import { recordingLog } from "../support/log.ts";
import { ask, chat, type Answer } from "./support/called-gateway.ts";

let pki: SimulatorPki;
let otherPki: SimulatorPki;
let current: Collateral;
beforeAll(async () => {
  const now = Date.now();
  [pki, otherPki] = await Promise.all([createSimulatorPki({ now }), createSimulatorPki({ now })]);
  current = await pki.createCollateral({ now });
});

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

interface Options {
  readonly settings?: object;
  readonly provider?: object;
  readonly fault?: NearFault;
  readonly simulated?: boolean;
  readonly tls?: NearTls;
  readonly collateral?: Collateral;
}

async function start({
  settings = {},
  provider = {},
  fault,
  simulated = false,
  tls,
  collateral = current,
}: Options = {}) {
  const cloud = stack.use(await new NearCloud({ pki, otherPki, ...(tls && { tls }) }).start());
  cloud.fault = fault;
  const log = recordingLog();
  const sessions = new SessionStore();
  const near = { kind: "near-ai", url: `${cloud.url}/v1`, keyEnv: "NEAR_KEY", ...provider };
  const gateway = createGateway({
    settings: gatewaySettingsSchema.parse({
      discovery: { ollama: "off", lmStudio: "off" },
      embedded: { demo: false },
      providers: [near],
      ...settings,
    }),
    directory: stack.use(temporaryFolder()).path,
    clock: systemClock,
    random: () => 0,
    log,
    health: () => ({ status: "healthy", tee: "none", hostnames: [], steps: [] }),
    receiptSigner: new ReceiptKey(new Uint8Array(32).fill(2)).signer(() => Promise.resolve("ab".repeat(32))),
    env: { NEAR_KEY: "sk-test" },
    verification: {
      verifyQuote: simulated ? verifyQuote : verifyAsIfHardware,
      trust: { root: pki.root, simulated },
      collateral: () => Promise.resolve(collateral),
      gpuService: "http://127.0.0.1:1",
      fetch,
      sessions,
    },
  });
  stack.use(gateway);
  await gateway.ready;
  const server = stack.use(await listenLocal(createLocalHttp(gateway.handler("local")), 0, "test"));
  const get = async (path: string): Promise<{ status: number; json: unknown }> => {
    const { status, text } = await ask(server.port, "", { path, method: "GET" });
    return { status, json: path === "/metrics" ? text : (JSON.parse(text) as unknown) };
  };
  const listed = async (): Promise<ListedModel | undefined> => {
    const { json } = await get("/v1/models");
    return (json as { data: ListedModel[] }).data.find(({ id }) => id === nearModel);
  };
  return {
    cloud,
    log,
    sessions,
    get,
    port: server.port,
    listed,
    call: (more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
      ask(server.port, chat(nearModel, more), { headers }),
    untilVerified: () =>
      vi.waitFor(async () => expect((await listed())?.postern.attestation).toBe("verified"), patience),
    proof: (answer: Answer) => proofOf(answer, get),
    examine: (model: string, from?: string) =>
      gateway.examine({ model, provider: from }, new Uint8Array(32).fill(3), AbortSignal.timeout(patience.timeout)),
  };
}

const patience = { timeout: 10_000, interval: 50 };

interface ListedModel {
  readonly id: string;
  readonly postern: {
    readonly trust: string;
    readonly attestation?: string;
    readonly evidence?: { readonly checks: readonly Check[]; readonly session_id?: string };
  };
}

interface ShownProof {
  readonly session_id: string | null;
  readonly checks: readonly Check[];
}

/** The trace's word on an answer, once it has one. */
function proofOf(answer: Answer, get: (path: string) => Promise<{ json: unknown }>): Promise<ShownProof> {
  return vi.waitFor(async () => {
    const { json } = await get(`/v1/requests/${String(answer.headers["x-request-id"])}/trace`);
    const { attestation } = json as { attestation: ShownProof | null };
    expect(attestation).not.toBeNull();
    return attestation!;
  }, patience);
}

const answerOf = ({ checks }: ShownProof): Check | undefined => checks.find(({ id }) => id === "answer-signature");
const codeOf = ({ text }: Answer): string => (JSON.parse(text) as { error: { code: string } }).error.code;

describe("a model at NEAR", () => {
  it("is verified in the background, and the list says what was looked at", async () => {
    const { untilVerified, listed, sessions, log } = await start();
    await untilVerified();
    const { postern } = (await listed())!;
    expect(postern.trust).toBe("attested");
    expect(postern.evidence?.checks.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      "gateway-quote pass",
      "model-quote pass",
      "model-key pass",
      "model-gpu skip",
    ]);
    expect(sessions.get(postern.evidence?.session_id ?? "")?.document).toMatchObject({
      api_version: "aci/1",
      upstream_name: "near",
      claims: { tee_attested: { status: "asserted" }, model_weights_provenance: { status: "unknown" } },
    });
    expect(JSON.stringify(log.events)).not.toContain("sk-test");
  });

  it("is not offered, and not asked, when its evidence is bad; the refusal says which check failed", async () => {
    const { cloud, listed, call, log } = await start({ fault: "debug" });
    await vi.waitFor(async () => expect(await listed()).toBeUndefined(), patience);
    const answer = await call();
    expect(answer.status).toBe(502);
    expect(codeOf(answer)).toBe("evidence_rejected");
    expect(answer.text).toContain("td-attributes");
    expect(cloud.requests.some(({ line }) => line.includes("chat/completions"))).toBe(false);
    expect(log.events.some(({ event }) => event === "model.distrusted")).toBe(true);
  });

  it("is a plain one then, where its user offers those too", async () => {
    const { listed, call } = await start({ fault: "debug", provider: { unattested: true } });
    await vi.waitFor(async () => expect((await listed())?.postern.trust).toBe("plain"), patience);
    expect((await listed())?.postern.attestation).toBeUndefined();
    expect((await call()).status).toBe(200);
  });

  it("is cited by the receipts of its answers, with the session that hashes to its id", async () => {
    const { untilVerified, call, get } = await start();
    await untilVerified();
    const answer = await call({}, { "x-postern-privacy": "local-or-verified" });
    const { json } = await get(`/v1/aci/receipts/${String(answer.headers["x-receipt-id"])}`);
    const event = (json as { event_log: { type: string; session_id?: string }[] }).event_log.find(
      ({ type }) => type === "upstream.verified",
    );
    expect(event).toMatchObject({ result: "verified", required: true, model_id: nearModel });
    const session = await get(`/v1/aci/sessions/${event?.session_id}`);
    const hash = createHash("sha256").update(canonicalize(session.json) ?? "");
    expect(hash.digest("hex")).toBe(event?.session_id);
    const list = await get(`/v1/aci/sessions?model=${encodeURIComponent(nearModel)}`);
    expect(list.json).toMatchObject({ sessions: [{ session_id: event?.session_id, upstream_name: "near" }] });
    expect(JSON.stringify(list.json)).not.toContain("base64,");
  });

  it("on outdated firmware is verified only where the settings accept that, with what is open there", async () => {
    const outdated = await pki.createCollateral({ now: Date.now(), status: "OutOfDate" });
    const strict = await start({ collateral: outdated });
    await vi.waitFor(async () => expect(await strict.listed()).toBeUndefined(), patience);
    const provider = { tcb: ["UpToDate", "OutOfDate"], advisories: ["INTEL-SA-00000"] };
    await (await start({ collateral: outdated, provider })).untilVerified();
  });

  it("is looked at for somebody who asks, with his nonce, by any of its names and also when it is withheld", async () => {
    const { examine, untilVerified, cloud } = await start({ settings: { aliases: { best: [nearModel] } } });
    await untilVerified();
    const { report, record } = await examine("best", "near");
    expect(report).toMatchObject({ model: nearModel, verdict: "verified" });
    expect(record.nonce).toBe("03".repeat(32));
    expect(cloud.requests.at(-1)?.line).toContain(`nonce=${"03".repeat(32)}`);
    await expect(examine("best", "somebody-else")).rejects.toThrow("no such model");
    await expect(examine("no-such-model")).rejects.toThrow("no such model");
    cloud.fault = "other-address";
    expect((await examine(nearModel)).report.verdict).toBe("refused");
  });

  it("stays a claim when its evidence cannot be looked at", async () => {
    const { listed, call, log } = await start({ fault: "down" });
    await vi.waitFor(() => expect(log.events.some(({ event }) => event === "model.unverified")).toBe(true), patience);
    expect((await listed())?.postern.attestation).toBe("claimed");
    expect((await call()).status).toBe(200);
  });

  it("of a simulator is never verified, though all of its checks pass", async () => {
    const { listed } = await start({ simulated: true });
    await vi.waitFor(async () => expect((await listed())?.postern.attestation).toBe("simulated"), patience);
  });
});

describe("the rule local-or-verified", () => {
  const settings = { privacy: "local-or-verified" };

  it("lets a model be asked once it is verified, and no sooner", async () => {
    const { cloud, listed, call, untilVerified } = await start({ settings, fault: "down" });
    expect(await listed()).toBeUndefined();
    const early = await call();
    expect(early.status).toBe(503);
    expect(codeOf(early)).toBe("no_provider");
    expect(early.text).toContain("not verified yet");
    expect(cloud.requests.some(({ line }) => line.includes("chat/completions"))).toBe(false);
    cloud.fault = undefined;
    await untilVerified();
    expect((await call()).status).toBe(200);
  }, 30_000);

  it("refuses what a simulator has signed", async () => {
    const { call, log } = await start({ settings, simulated: true });
    await vi.waitFor(() => expect(log.events.some(({ event }) => event === "model.verified")).toBe(true), patience);
    expect((await call()).status).toBe(503);
  });

  it("refuses an answer that another server than the verified one gave", async () => {
    const { cloud, call, untilVerified } = await start({ settings });
    await untilVerified();
    cloud.fault = "relayed";
    const answer = await call();
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain("Hello.");
  });
});

describe("X-Postern-Privacy", () => {
  const verified = { "x-postern-privacy": "local-or-verified" };

  it("lets a call insist on what is verified, and its answer says what the model was", async () => {
    const { call, untilVerified } = await start();
    await untilVerified();
    const answer = await call({}, verified);
    expect(answer.status).toBe(200);
    expect(answer.headers["x-postern-attestation"]).toBe("verified");
  });

  it("refuses the call rather than to take a claim, which others may still have", async () => {
    const { call } = await start({ fault: "down" });
    expect((await call({}, verified)).status).toBe(503);
    const answer = await call();
    expect(answer.status).toBe(200);
    expect(answer.headers["x-postern-attestation"]).toBe("claimed");
  });

  it("that is not understood is refused, never taken for none", async () => {
    const { call, cloud } = await start();
    const answer = await call({}, { "x-postern-privacy": "verified" });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("local-or-verified");
    expect(cloud.requests.some(({ line }) => line.startsWith("POST"))).toBe(false);
  });
});

describe("an answer of a model at NEAR", () => {
  it.each([
    ["whole", {}],
    ["a stream", { stream: true }],
  ])("is compared with its signature when it is %s, and the trace says so", async (_, more) => {
    const { call, proof, untilVerified, listed, get } = await start();
    await untilVerified();
    const answer = await call(more);
    expect(answer.status).toBe(200);
    const shown = await proof(answer);
    expect(answerOf(shown)).toMatchObject({ outcome: "pass" });
    expect(shown.checks.map(({ id }) => id)).toEqual([
      "gateway-quote",
      "model-quote",
      "model-key",
      "model-gpu",
      "answer-signature",
    ]);
    expect(shown.session_id).toBe((await listed())?.postern.evidence?.session_id);
    const { json } = await get("/metrics");
    expect(json).toContain('postern_gateway_proofs_total{provider="near",outcome="pass"} 1');
  });

  it.each<[NearFault, RegExp]>([
    ["gateway-kind", /gateway has signed/],
    ["other-bytes", /is another answer/],
    ["other-request", /another request/],
    ["other-signer", /no evidence of the model names/],
    ["other-text", /The signature is not/],
    ["relayed", /not attested/],
  ])("fails when its signature is %s, and its model is trusted no more", async (fault, sentence) => {
    const { cloud, call, proof, untilVerified, listed, log } = await start();
    await untilVerified();
    cloud.fault = fault;
    const answer = await call();
    expect(answer.status).toBe(200);
    const check = answerOf(await proof(answer));
    expect(check?.outcome).toBe("fail");
    expect(check?.detail).toMatch(sentence);
    expect(await listed()).toBeUndefined();
    const next = await call();
    expect(next.status).toBe(502);
    expect(codeOf(next)).toBe("evidence_rejected");
    expect(log.events.filter(({ event }) => event === "model.distrusted")).toHaveLength(1);
  });

  it("is compared with its signature also when its head does not say where it came from", async () => {
    const { cloud, call, proof, untilVerified } = await start();
    await untilVerified();
    cloud.fault = "unsaid";
    expect(answerOf(await proof(await call()))?.outcome).toBe("pass");
  });

  it.each<[NearFault, RegExp]>([
    ["disconnected", /STREAM_DISCONNECTED/],
    ["chutes", /chutes.*not verified/],
  ])("is neither proved nor wrong when it is %s", async (fault, sentence) => {
    const { cloud, call, proof, untilVerified, listed } = await start();
    await untilVerified();
    cloud.fault = fault;
    const check = answerOf(await proof(await call()));
    expect(check?.outcome).toBe("skip");
    expect(check?.detail).toMatch(sentence);
    expect((await listed())?.postern.attestation).toBe("verified");
  });

  it("is asked for again when its signature comes late", async () => {
    const { cloud, call, proof, untilVerified } = await start();
    await untilVerified();
    cloud.fault = "late";
    expect(answerOf(await proof(await call()))?.outcome).toBe("pass");
  });

  it("is not signed by a key that is known when its model has not been verified", async () => {
    const { call, proof } = await start({ fault: "down" });
    expect(answerOf(await proof(await call()))).toMatchObject({ outcome: "skip" });
  });

  it("of a machine that has joined since is proved, once that one has shown its evidence", async () => {
    const { cloud, call, proof, untilVerified, listed } = await start();
    await untilVerified();
    cloud.joined = new NearMachine({ pki, name: "joined" });
    expect(answerOf(await proof(await call()))?.outcome).toBe("pass");
    expect((await listed())?.postern.attestation).toBe("verified");
  }, 20_000);
});

describe("the connections of calls", () => {
  const provider = { connection: "attested" };
  const hasCalled = ({ requests }: NearCloud): boolean => requests.some(({ line }) => line.startsWith("POST"));

  it("go to the key that the gateway's quote names, and the session says so", async () => {
    const tls = await createTrustedTls();
    const { call, untilVerified, listed, sessions, cloud } = await start({ provider, tls });
    await untilVerified();
    expect((await call()).status).toBe(200);
    const id = (await listed())?.postern.evidence?.session_id ?? "";
    expect(sessions.get(id)?.document).toMatchObject({
      channel_binding: [{ type: "tls_spki_sha256", origin: cloud.url, spki_sha256: tls.fingerprint }],
    });
  });

  it("are not made to another key, though its certificate is good; nothing is sent there", async () => {
    const [tls, other] = [await createTrustedTls(), await createTrustedTls()];
    const { call, untilVerified, cloud } = await start({ provider, tls });
    await untilVerified();
    cloud.show(other, { evidence: false });
    const answer = await call();
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("not the attested one");
    expect(hasCalled(cloud)).toBe(false);
  });

  it("are made to another key once the gateway has shown evidence of it", async () => {
    const [tls, other] = [await createTrustedTls(), await createTrustedTls()];
    const { call, untilVerified, cloud } = await start({ provider, tls });
    await untilVerified();
    cloud.show(other, { evidence: true });
    expect((await call()).status).toBe(502);
    await vi.waitFor(async () => expect((await call()).status).toBe(200), { timeout: 25_000, interval: 500 });
  }, 30_000);

  it("are made before there is evidence only where nobody asked for it", async () => {
    const tls = await createTrustedTls();
    const pinned = await start({ provider, tls, fault: "down" });
    expect((await pinned.call()).status).toBe(502);
    expect(hasCalled(pinned.cloud)).toBe(false);
    const usual = await start({ tls, fault: "down" });
    expect((await usual.call()).status).toBe(200);
  });

  it("are none without TLS", async () => {
    const { call, untilVerified, cloud } = await start({ provider });
    await untilVerified();
    expect((await call()).status).toBe(502);
    expect(hasCalled(cloud)).toBe(false);
  });
});

describe("an answer that is held until it is proved", () => {
  const provider = { answers: "required" };

  it.each([
    ["whole", {}],
    ["a stream", { stream: true }],
  ])("reaches the client when its signature is good, also as %s", async (_, more) => {
    const { call, proof, untilVerified } = await start({ provider });
    await untilVerified();
    const answer = await call(more);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("stream" in more ? "[DONE]" : "Hello.");
    expect(answerOf(await proof(answer))?.outcome).toBe("pass");
  });

  it.each<[NearFault, object]>([
    ["other-bytes", {}],
    ["other-bytes", { stream: true }],
    ["gateway-kind", {}],
    ["disconnected", {}],
  ])("never reaches the client when its signature is %s (%o)", async (fault, more) => {
    const { cloud, call, proof, untilVerified } = await start({ provider });
    await untilVerified();
    cloud.fault = fault;
    const answer = await call(more);
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain("Hel");
    expect(answerOf(await proof(answer))?.outcome).not.toBe("pass");
  });

  it("is not asked for where no model's TEE signs", async () => {
    const { cloud, port, untilVerified } = await start({ provider });
    await untilVerified();
    const answer = await ask(port, { model: nearModel, input: "Hello." }, { path: "/v1/responses" });
    expect(answer.status).toBe(501);
    expect(cloud.requests.some(({ line }) => line.startsWith("POST"))).toBe(false);
  });

  it("never reaches the client before its model was verified", async () => {
    const { call } = await start({ provider, fault: "down" });
    const answer = await call();
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain("Hello.");
  });
});
