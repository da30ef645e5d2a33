import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyCustody } from "../../../../shared/attestation/custody.ts";
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog } from "../../../../shared/log.ts";
import { DstackAgent } from "../../../../tee-bot/attestation/dstack/dstack-agent.ts";
import { TappdAgent } from "../../../../tee-bot/attestation/dstack/tappd-agent.ts";
import { AgentKeys } from "../../../../tee-bot/attestation/keys/tee-keys.ts";
import { startSimulator, type Simulator } from "../../../../tee-bot/attestation/simulator/simulator.ts";
import { refusalOfAsync } from "../../../shared/refusal.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { behavesAsGuestAgent } from "./guest-agent-behaviour.ts";

describe.each(["0.5", "0.6"] as const)("the client beside a simulator of dstack %s", (generation) => {
  const stack = new AsyncDisposableStack();
  let simulator: Simulator;
  let agent: DstackAgent;
  let tappd: TappdAgent;
  beforeAll(async () => {
    const state = stack.use(temporaryFolder()).path;
    const tappdSocket = join(state, "tappd.sock");
    simulator = stack.use(
      await startSimulator({ state, tappdSocket, generation, clock: systemClock, log: silentLog, quoteMs: 1 }),
    );
    agent = new DstackAgent({ socketPath: simulator.socket }, systemClock);
    tappd = new TappdAgent({ socketPath: tappdSocket }, systemClock);
  });
  afterAll(() => stack.disposeAsync());

  describe("by the present API", () => behavesAsGuestAgent({ agent: () => agent, legacy: false }));
  describe("by the API of the first agents", () => behavesAsGuestAgent({ agent: () => tappd, legacy: true }));

  it("hears that it is simulated", async () => {
    expect((await agent.info()).simulated).toBe(true);
    expect((await tappd.info()).simulated).toBe(true);
  });

  it("gets the same keys by both APIs, with custody up to the key provider that the simulator names", async () => {
    const [one, other] = [new AgentKeys(agent), new AgentKeys(tappd)];
    expect(await one.derive("identity")).toEqual(await other.derive("identity"));
    const trust = { appId: (await agent.info()).appId, kmsRoots: [simulator.keyProvider] };
    const custody = await one.custody("receipt", { algorithm: "ed25519", bytes: new Uint8Array(32) });
    expect(verifyCustody(custody, trust)).toEqual({ verdict: "proven", root: simulator.keyProvider });
  });

  it("finds out what this generation cannot do", async () => {
    const event = await refusalOfAsync(() => agent.emitEvent("app/control/e", Uint8Array.of(1)));
    const gpu = await refusalOfAsync(() => agent.gpuInfo());
    expect({ event, gpu }).toEqual(
      generation === "0.5" ? { event: undefined, gpu: "not-supported" } : { event: "not-supported", gpu: undefined },
    );
    expect(await agent.version()).toMatchObject({ version: expect.stringMatching(/^0\.\d/) as string });
    expect((await agent.attest(new Uint8Array())).length).toBeGreaterThan(1_000);
  });
});
