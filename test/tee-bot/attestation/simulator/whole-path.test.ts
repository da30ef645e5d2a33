import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Check, type CheckId, decideVerdict } from "../../../../shared/attestation/check.ts";
import { intelRoot } from "../../../../shared/attestation/dcap/intel-root.ts";
import { policySchema } from "../../../../shared/attestation/policy.ts";
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog } from "../../../../shared/log.ts";
import { fetchCollateral } from "../../../../tee-bot/attestation/collateral/fetch-collateral.ts";
import { connectGuestAgent } from "../../../../tee-bot/attestation/dstack/connect-guest-agent.ts";
import type { GuestAgent } from "../../../../tee-bot/attestation/dstack/guest-agent.ts";
import { startSimulator, type Simulator } from "../../../../tee-bot/attestation/simulator/simulator.ts";
import { verifyQuote } from "../../../../tee-bot/attestation/verify/verify-quote.ts";

const reportData = new Uint8Array(64).fill(5);

/** The node's client asks, the collateral is fetched, the verifier judges: nothing in between is made up. */
describe("with a simulator the whole path runs", () => {
  let state: string;
  let simulator: Simulator | undefined;

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "postern-path-"));
  });
  afterEach(async () => {
    await simulator?.[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  const start = async (options: { generation: "0.5" | "0.6"; eventVersion?: 1 | 2; compose?: string }) => {
    simulator = await startSimulator({ state, clock: systemClock, log: silentLog, quoteMs: 0, ...options });
    return { simulator, agent: agentOf(simulator.socket) };
  };
  const agentOf = (socket: string): GuestAgent => {
    const found = connectGuestAgent({ tee: "simulated", socket, env: {}, clock: systemClock });
    if (found.tee === "none") throw new Error(found.reason);
    return found.agent;
  };
  const judge = async (
    agent: GuestAgent,
    trust: { root: Uint8Array; simulated: boolean },
  ): Promise<readonly Check[]> => {
    const { quote, eventLog, vmConfig } = await agent.quote(reportData);
    const { appCompose = "" } = await agent.info();
    const base = simulator?.pcs ?? "";
    const { documents } = await fetchCollateral({ base, quote, fetch, clock: systemClock });
    const evidence = {
      quote: Buffer.from(quote).toString("hex"),
      event_log: eventLog,
      app_compose: appCompose,
      vm_config: vmConfig,
    };
    const at = { seconds: Math.ceil(Date.now() / 1000), clock: "this machine's" };
    const subject = { evidence, collateral: documents, reportData, at };
    return (await verifyQuote(subject, policySchema.parse({}), trust)).checks;
  };
  const outcomes = (checks: readonly Check[]): Partial<Record<CheckId, string>> =>
    Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));

  it.each([
    { generation: "0.5" as const },
    { generation: "0.6" as const },
    { generation: "0.6" as const, eventVersion: 2 as const },
    {
      generation: "0.6" as const,
      compose: '{\n  "name": "café — 東京",\n  "docker_compose_file": "services: {}"\n}\n',
    },
  ])("up to its own root, and the verdict is simulated: %j", async (options) => {
    const { agent } = await start(options);
    const checks = await judge(agent, { root: simulator?.pki.root ?? new Uint8Array(), simulated: true });
    const failures = checks.filter(({ outcome }) => outcome === "fail");
    expect(failures).toEqual([]);
    expect(outcomes(checks)).toMatchObject({
      nonce: "pass",
      "quote-format": "pass",
      "quote-signature": "pass",
      collateral: "pass",
      "tcb-status": "pass",
      "td-attributes": "pass",
      "tdx-module": "pass",
      "event-log": "pass",
      compose: "pass",
    });
    expect(outcomes(checks).hardware).not.toBe("pass");
    expect(decideVerdict(checks, ["quote-signature", "event-log", "compose"], true)).toBe("simulated");
  });

  it("and not up to Intel's", async () => {
    const { agent } = await start({ generation: "0.6" });
    const checks = await judge(agent, { root: intelRoot, simulated: false });
    expect(outcomes(checks)).toMatchObject({ "quote-signature": "fail", hardware: "fail" });
    expect(decideVerdict(checks, [], false)).toBe("refused");
  });

  it("with keys, certificates and events as the node asks for them", async () => {
    const { agent } = await start({ generation: "0.5" });
    expect((await agent.info()).simulated).toBe(true);
    const key = await agent.key({ path: "postern/identity", purpose: "identity", algorithm: "ed25519" });
    expect([key.key.length, ...key.signatureChain.map(({ length }) => length)]).toEqual([32, 65, 65]);
    const data = Buffer.from("signed");
    const { signature, publicKey } = await agent.sign("secp256k1", data);
    expect(await agent.verify("secp256k1", data, signature, publicKey)).toBe(true);
    const [leaf = ""] = (await agent.tlsKey({ subject: "a", altNames: ["a.test"], usageRaTls: true })).certificateChain;
    expect(new X509Certificate(leaf).subjectAltName).toBe("DNS:a.test");
    await agent.emitEvent("release", Buffer.from("1"));
    expect((await agent.quote(reportData)).eventLog).toContain('"event":"release"');
    expect((await agent.attest(reportData)).subarray(0, 2)).toEqual(Buffer.of(0, 0));
    await expect(agent.gpuInfo()).rejects.toMatchObject({ code: "not-supported" });
    expect(await agent.version()).toMatchObject({ version: "0.5.11" });
  });
});
