import { describe, expect, it } from "vitest";
import { startSignalSimulator } from "../../tee-bot/bot/simulator/simulator.ts";
import { postern } from "./run.ts";

describe("postern signal trust", () => {
  it("shows whose safety number has changed, and trusts it when it is the one that was compared", async () => {
    await using simulator = await startSignalSimulator();
    const { uuid } = simulator.person("ada");
    const run = (...more: string[]) => postern("signal", "trust", ...more, "--api", simulator.url);
    expect((await run()).stdout).toBe("Everybody is trusted.\n");
    simulator.reinstall("ada");
    const { stdout } = await run();
    expect(stdout).toContain(uuid);
    const [, safetyNumber = ""] = /safety number {2}([\d ]{71})\n/.exec(stdout) ?? [];
    const wrong = await run(uuid, "--safety-number", safetyNumber.replaceAll(/\d/g, "1"));
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("Nobody is trusted anew")]);
    const right = await run(uuid, "--safety-number", safetyNumber);
    expect([right.code, right.stdout]).toEqual([0, expect.stringContaining("Trusted.")]);
    expect((await run()).stdout).toBe("Everybody is trusted.\n");
  });

  it("refuses what is no safety number before it asks the server", async () => {
    const { code, stderr } = await postern(
      "signal",
      "trust",
      "x",
      "--safety-number",
      "12",
      "--api",
      "http://127.0.0.1:1",
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining("60 digits")]);
  });
});
