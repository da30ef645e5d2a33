import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { openTee } from "../../../tee-bot/attestation/open-tee.ts";
import { attestationSettingsSchema } from "../../../tee-bot/attestation/settings.ts";
import { refusalOfAsync } from "../../shared/refusal.ts";
import { sendJson, standInInfo, startGuestAgent, type GuestAgentStandIn } from "../../support/guest-agent.ts";
import { recordingLog } from "../support/log.ts";

let standIn: GuestAgentStandIn;
let log: ReturnType<typeof recordingLog>;
beforeEach(async () => {
  standIn = await startGuestAgent();
  log = recordingLog();
});
afterEach(() => standIn[Symbol.asyncDispose]());

const open = (settings: object, env: Record<string, string> = {}) =>
  openTee({ settings: attestationSettingsSchema.parse(settings), env, clock: systemClock, log });
const simulator = { ...standInInfo, simulated: true };

describe("a node that starts", () => {
  it("says which TEE it has found, and what runs there", async () => {
    expect(await open({ socket: standIn.socket })).toMatchObject({ tee: "dstack", agent: { address: standIn.socket } });
    expect(log.events).toMatchObject([
      { level: "info", event: "tee.found", fields: { tee: "dstack", appId: standInInfo.app_id, version: "0.5.8" } },
    ]);
  });

  it("warns that a simulated TEE proves nothing, whatever the agent says of itself", async () => {
    for (const info of [simulator, standInInfo]) {
      log.events.length = 0;
      standIn.answers.set("/Info", info);
      expect(await open({ tee: "simulated", socket: standIn.socket })).toMatchObject({ tee: "simulated" });
      expect(log.events.map(({ level, event }) => [level, event])).toEqual([
        ["info", "tee.found"],
        ["warn", "tee.simulated"],
      ]);
    }
  });

  it("takes a simulator for no TEE unless it was told to", async () => {
    standIn.answers.set("/Info", simulator);
    for (const tee of ["auto", "dstack"]) {
      expect(await refusalOfAsync(() => open({ tee, socket: standIn.socket }))).toBe("tee-absent");
      await expect(open({ tee, socket: standIn.socket })).rejects.toThrow("is a simulator and proves nothing");
    }
  });

  it("goes by the simulator of the environment only where it is told that all is simulated", async () => {
    const env = { DSTACK_SIMULATOR_ENDPOINT: standIn.socket };
    expect(await open({ tee: "simulated" }, env)).toMatchObject({ tee: "simulated" });
    expect(await refusalOfAsync(() => open({}, env))).toBe("bad-request");
  });

  it("does without a TEE where there is none, but not where attestation is required", async () => {
    expect(await open({ tee: "off" })).toMatchObject({ tee: "none" });
    await expect(open({ tee: "off", required: true })).rejects.toThrow("attestation.required");
    expect(await refusalOfAsync(() => open({ tee: "off", required: true }))).toBe("tee-absent");
  });

  it("does not make do with files while the agent fails", async () => {
    standIn.answers.set("/Info", (response) => sendJson(response, 500, { error: "booting" }));
    expect(await refusalOfAsync(() => open({ socket: standIn.socket }))).toBe("upstream-unavailable");
  });

  it("works with an agent that is too old to tell its version", async () => {
    standIn.answers.set("/Version", (response) => sendJson(response, 400, { error: "Service not found: Version" }));
    await open({ socket: standIn.socket });
    expect(log.events[0]?.fields["version"]).toBe("before 0.5.7");
  });
});
