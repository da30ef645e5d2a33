import { createHash } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CheckId, Outcome } from "../../../../shared/attestation/check.ts";
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import { policySchema } from "../../../../shared/attestation/policy.ts";
import { systemClock } from "../../../../shared/clock.ts";
import type { ModelReport } from "../../../../tee-bot/attestation/near/model-report.ts";
import { verifyModel, type VerifyModelOptions } from "../../../../tee-bot/attestation/near/verify-model.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { intelRoot } from "../../../../shared/attestation/dcap/intel-root.ts";
import { verifyQuote } from "../../../../tee-bot/attestation/verify/verify-quote.ts";
import type { VerifyQuote } from "../../../../tee-bot/attestation/verify/verification.ts";
import { verifyAsIfHardware } from "../../../support/near/as-if-hardware.ts";
import { NearCloud, nearModel, type NearFault } from "../../../support/near/near-cloud.ts";
import { NearMachine } from "../../../support/near/near-machine.ts";
import { createTrustedTls } from "../../../support/near/near-tls.ts";
import { Nras, type NrasFault } from "../../../support/near/nras.ts";

let pki: SimulatorPki;
let otherPki: SimulatorPki;
let collateral: Collateral;
beforeAll(async () => {
  const now = Date.now();
  [pki, otherPki] = await Promise.all([createSimulatorPki({ now }), createSimulatorPki({ now })]);
  collateral = await pki.createCollateral({ now });
});

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

interface World {
  readonly cloud: NearCloud;
  readonly nras: Nras;
  readonly verify: (changes?: Partial<VerifyModelOptions>) => Promise<ModelReport>;
}

async function start(withGpu = false): Promise<World> {
  const cloud = stack.use(await new NearCloud({ pki, otherPki, withGpu }).start());
  const nras = stack.use(await new Nras().start());
  const options: VerifyModelOptions = {
    api: { origin: cloud.url, basePath: "/v1", headers: ["authorization", "Bearer sk-test"] },
    algorithm: "ecdsa",
    verifyQuote: verifyAsIfHardware,
    policy: policySchema.parse({}),
    trust: { root: pki.root, simulated: false },
    collateral: () => Promise.resolve(collateral),
    gpuService: nras.url,
    fetch,
    clock: systemClock,
  };
  const signal = new AbortController().signal;
  return { cloud, nras, verify: (changes) => verifyModel(nearModel, signal, { ...options, ...changes }) };
}

const outcomes = ({ checks }: ModelReport): [CheckId, Outcome][] => checks.map(({ id, outcome }) => [id, outcome]);
const said = ({ checks }: ModelReport, id: CheckId): string => checks.find((check) => check.id === id)?.detail ?? "";

describe("a report of NEAR on a model", () => {
  it("is verified when its gateway and its machines show good quotes for our nonce and their keys", async () => {
    const { cloud, verify } = await start();
    const report = await verify();
    expect(outcomes(report)).toEqual([
      ["gateway-quote", "pass"],
      ["model-quote", "pass"],
      ["model-key", "pass"],
      ["model-gpu", "skip"],
    ]);
    expect(report.verdict).toBe("verified");
    expect(report.keys).toEqual([cloud.machine.key]);
    expect(said(report, "model-key")).toContain(cloud.machine.key.address);
    expect(report.measured.map(({ tcbStatus }) => tcbStatus)).toEqual(["UpToDate", "UpToDate"]);
  });

  it("is asked for with a nonce of 32 bytes that is never used twice, the algorithm, and the key", async () => {
    const { cloud, verify } = await start();
    await verify();
    await verify();
    const queries = cloud.requests.map(({ line }) => new URL(line.split(" ")[1]!, "http://near.test").searchParams);
    const [first, second] = queries.map((query) => query.get("nonce"));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(second).not.toBe(first);
    expect(queries[0]?.get("signing_algo")).toBe("ecdsa");
    expect(queries[0]?.get("include_tls_fingerprint")).toBe("true");
    expect(cloud.requests[0]?.headers.authorization).toBe("Bearer sk-test");
  });

  it.each<[NearFault, CheckId, RegExp]>([
    ["other-nonce", "gateway-quote", /nonce: The quote carries another nonce/],
    ["other-address", "model-key", /does not carry the signing address/],
    ["other-root", "model-quote", /quote-signature/],
    ["debug", "model-quote", /td-attributes/],
    ["model-missing", "model-quote", /no evidence of a machine/],
    ["model-is-gateways", "model-key", /the gateway's own/],
    ["gateway-missing", "gateway-quote", /There is no evidence|missing/],
    ["gateway-other-address", "gateway-quote", /keyset: The quote does not carry/],
    ["other-public-key", "model-key", /public key that is shown is not the one/],
    ["other-model", "model-quote", /no evidence of a machine/],
  ])("is refused when it is %s, by %s", async (fault, id, sentence) => {
    const { cloud, verify } = await start();
    cloud.fault = fault;
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(report.checks.find((check) => check.id === id)?.outcome).toBe("fail");
    expect(said(report, id)).toMatch(sentence);
    expect(report.keys).toEqual([]);
  });

  it("is refused when it is an old one, though it was good when it was made", async () => {
    const { cloud, verify } = await start();
    expect((await verify()).verdict).toBe("verified");
    cloud.fault = "stale";
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(said(report, "model-quote")).toMatch(/nonce/);
  });

  it("is refused when one of several machines is not what it should be", async () => {
    const { cloud, verify } = await start();
    cloud.joined = new NearMachine({ pki, name: "joined" });
    const both = await verify();
    expect(both.verdict).toBe("verified");
    expect(both.keys).toHaveLength(2);
    cloud.joined = new NearMachine({ pki: otherPki, name: "joined" });
    const report = await verify();
    expect(report.verdict).toBe("refused");
    expect(said(report, "model-quote")).toContain("machine 2 of 2");
  });

  it("is neither good nor bad without collateral", async () => {
    const { verify } = await start();
    const report = await verify({ collateral: () => Promise.resolve(undefined) });
    expect(report.verdict).toBe("unknown");
    expect(said(report, "model-quote")).toMatch(/collateral/);
    expect(report.keys).toEqual([]);
  });

  it("is refused when the platform is outdated, unless the policy accepts that", async () => {
    const { verify } = await start();
    const outdated = await pki.createCollateral({ now: Date.now(), status: "OutOfDate" });
    const old = { collateral: () => Promise.resolve(outdated) };
    const report = await verify(old);
    expect(report.verdict).toBe("refused");
    expect(said(report, "model-quote")).toMatch(/tcb-status.*OutOfDate/);
    const policy = policySchema.parse({ tcb: ["UpToDate", "OutOfDate"], advisories: ["INTEL-SA-00000"] });
    expect((await verify({ ...old, policy })).verdict).toBe("verified");
  });

  it("of a simulator is never verified: under Intel's root it is refused, under its own it says what it is", async () => {
    const { verify } = await start();
    const plain = { verifyQuote };
    expect((await verify({ ...plain, trust: { root: intelRoot, simulated: false } })).verdict).toBe("refused");
    expect((await verify({ ...plain, trust: { root: pki.root, simulated: false } })).verdict).toBe("refused");
    expect((await verify({ ...plain, trust: { root: pki.root, simulated: true } })).verdict).toBe("simulated");
  });

  it("is not verified when nobody says that hardware has signed, though nothing else is missing", async () => {
    const { verify } = await start();
    const silent: VerifyQuote = (subject, policy, trust) => verifyQuote(subject, policy, { ...trust, simulated: true });
    const report = await verify({ verifyQuote: silent });
    expect(report.verdict).toBe("unknown");
    expect(said(report, "model-quote")).toMatch(/hardware.*SIMULATOR/);
  });

  it("that does not come is no report, and says nothing of what the answer said", async () => {
    const { cloud, verify } = await start();
    cloud.fault = "down";
    await expect(verify()).rejects.toThrow("500");
    await expect(verify()).rejects.not.toThrow(/secret/);
  });
});

describe("the GPU's evidence in a report", () => {
  it("is good when NVIDIA's service says so, by tokens that are its own", async () => {
    const { nras, verify } = await start(true);
    const report = await verify();
    expect(report.verdict).toBe("verified");
    expect(said(report, "model-gpu")).toMatch(/accepts the evidence of 1 GPU/);
    expect(nras.asked).toEqual(["/v3/attest/gpu", "/.well-known/jwks.json"]);
  });

  it.each<[NrasFault, RegExp]>([
    ["refused", /refuses/],
    ["other-nonce", /another nonce/],
    ["expired", /expired/],
    ["other-issuer", /somebody else/],
    ["other-key", /signature is wrong/],
    ["swapped-gpu", /not the one/],
    ["no-gpu", /names no GPU/],
    ["none-algorithm", /no token of ES384/],
  ])("is bad when NVIDIA's token is %s, and so is the model", async (fault, sentence) => {
    const { nras, verify } = await start(true);
    nras.fault = fault;
    const report = await verify();
    expect(said(report, "model-gpu")).toMatch(sentence);
    expect(report.verdict).toBe("refused");
  });

  it.each<[NrasFault, RegExp]>([
    ["unsupported", /does not judge the evidence: it answers 400/],
    ["garbage", /not understood/],
    ["unpublished-key", /does not publish/],
  ])("is neither when NVIDIA's service is %s, and the model does not depend on it", async (fault, sentence) => {
    const { nras, verify } = await start(true);
    nras.fault = fault;
    const report = await verify();
    expect(report.checks.find(({ id }) => id === "model-gpu")?.outcome).toBe("skip");
    expect(said(report, "model-gpu")).toMatch(sentence);
    expect(report.verdict).toBe("verified");
  });

  it("is neither when NVIDIA's service cannot be reached", async () => {
    const { verify } = await start(true);
    const report = await verify({ gpuService: "http://127.0.0.1:1" });
    expect(said(report, "model-gpu")).toMatch(/cannot be asked/);
  });

  it("is bad when it answers another nonce, whatever NVIDIA would say", async () => {
    const { cloud, nras, verify } = await start(true);
    cloud.fault = "other-gpu-nonce";
    const report = await verify();
    expect(said(report, "model-gpu")).toMatch(/answers another nonce/);
    expect(report.verdict).toBe("refused");
    expect(nras.asked).toEqual([]);
  });
});

describe("the connection of a report", () => {
  it.each([
    ["verified", "has the key that the gateway's quote names"],
    ["refused", "has another key, though its certificate is a good one"],
  ] as const)("is compared with the quote: %s when it %s", async (...[verdict]) => {
    const own = await createTrustedTls();
    const another = createHash("sha256").update("another").digest("hex");
    const tls = verdict === "verified" ? own : { ...own, fingerprint: another };
    const cloud = stack.use(await new NearCloud({ pki, otherPki, tls }).start());
    const { verify } = await start();
    const api = { origin: cloud.url, basePath: "/v1", headers: ["authorization", "Bearer sk-test"] };
    const report = await verify({ api });
    expect(report.verdict).toBe(verdict);
    expect(report.gatewayKey).toBe(verdict === "verified" ? own.fingerprint : undefined);
    if (verdict === "refused") expect(said(report, "gateway-quote")).toMatch(/connection-key.*another key/);
  });
});
