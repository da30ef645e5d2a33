import { Pool } from "undici";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AnswerChecks, type AnswerChecksOptions } from "../../../../tee-bot/attestation/near/answer-checks.ts";
import { unseenStanding, type ModelStanding } from "../../../../tee-bot/attestation/near/model-standing.ts";
import type { SigningKey } from "../../../../tee-bot/attestation/near/signing-key.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { NearCloud, nearModel } from "../../../support/near/near-cloud.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const pki = await createSimulatorPki({ now: Date.now() });
const body = Buffer.from(JSON.stringify({ model: nearModel, messages: [] }));

let stack: AsyncDisposableStack;
let cloud: NearCloud;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  cloud = stack.use(await new NearCloud({ pki, otherPki: pki }).start());
});
afterEach(() => stack.disposeAsync());

const withKeys = (...keys: SigningKey[]): ModelStanding => ({
  ...unseenStanding(0),
  state: "verified",
  report: {
    model: nearModel,
    at: 0,
    verdict: "verified",
    checks: [],
    keys,
    measured: [],
    gatewayKey: undefined,
    evidence: new Uint8Array(),
  },
});

function create(standing: ModelStanding | undefined, renew: AnswerChecksOptions["watch"]["renew"]) {
  const dispatcher = new Pool(cloud.url);
  stack.defer(() => dispatcher.destroy());
  const clock = new ManualClock();
  const distrusted: string[] = [];
  const watch = {
    standingOf: () => standing,
    renew,
    distrust: (_: string, reason: string) => void distrusted.push(reason),
  };
  const headers = ["authorization", "Bearer sk-test"];
  const api = { dispatcher, origin: cloud.url, basePath: "/v1", headers };
  const checks = stack.use(new AnswerChecks({ api, algorithm: "ecdsa", watch, clock }));
  /** Asks the cloud, and has its answer pass in pieces of seven bytes. */
  const ask = async (endpoint = "chat") => {
    const passing = checks.begin(nearModel, endpoint);
    passing.sent(body);
    const answer = await dispatcher.request({ path: "/v1/chat/completions", method: "POST", headers, body });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    for (let at = 0; at < bytes.length; at += 7) passing.received(bytes.subarray(at, at + 7));
    return passing.check();
  };
  return { clock, ask, distrusted };
}

const never = (): Promise<never> => new Promise(() => {});
const unasked = (): never => expect.fail("nobody has to look again");

describe("the check of an answer", () => {
  it("passes by the bytes as they passed, however they were cut", async () => {
    const { ask, distrusted } = create(withKeys(cloud.machine.key), unasked);
    expect(await ask()).toMatchObject({ outcome: "pass" });
    expect(distrusted).toEqual([]);
  });

  it("asks for newer evidence only for a signature that is good but for whose it is", async () => {
    const stranger = { ...cloud.machine.key, address: "ab".repeat(20) };
    const renew = vi.fn(() => Promise.resolve(withKeys(cloud.machine.key)));
    expect(await create(withKeys(stranger), renew).ask()).toMatchObject({ outcome: "pass" });
    expect(renew).toHaveBeenCalledTimes(1);
    for (const fault of ["gateway-kind", "other-bytes", "other-text"] as const) {
      cloud.fault = fault;
      const { ask, distrusted } = create(withKeys(cloud.machine.key), unasked);
      expect(await ask()).toMatchObject({ outcome: "fail" });
      expect(distrusted).toHaveLength(1);
    }
  });

  it("fails by what is known when newer evidence does not come in ten seconds", async () => {
    const stranger = { ...cloud.machine.key, address: "ab".repeat(20) };
    const { ask, clock, distrusted } = create(withKeys(stranger), never);
    const check = ask();
    clock.advance(await clock.untilSleeping((ms) => ms === 10_000));
    expect(await check).toMatchObject({ outcome: "fail" });
    expect(distrusted).toHaveLength(1);
  });

  it("gives up after some seconds when there is no signature", async () => {
    cloud.fault = "withheld";
    const { ask, clock, distrusted } = create(withKeys(cloud.machine.key), unasked);
    const check = ask();
    for (let retry = 0; retry < 5; retry++) clock.advance(await clock.untilSleeping(() => true));
    expect(await check).toMatchObject({ outcome: "skip", detail: "NEAR has no signature of this answer." });
    expect(cloud.requests.filter(({ line }) => line.includes("/signature/"))).toHaveLength(6);
    expect(distrusted).toEqual([]);
  });

  it("asks nobody where no key is known, or none could have signed", async () => {
    expect(await create(undefined, unasked).ask()).toMatchObject({ outcome: "skip" });
    expect(await create(unseenStanding(0), unasked).ask()).toMatchObject({ outcome: "skip" });
    expect(await create(withKeys(cloud.machine.key), unasked).ask("responses")).toMatchObject({ outcome: "skip" });
    expect(cloud.requests.some(({ line }) => line.includes("/signature/"))).toBe(false);
  });
});
