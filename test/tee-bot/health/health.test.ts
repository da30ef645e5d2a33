import { describe, expect, it } from "vitest";
import { decideHealth, type HealthStep, type StepReport } from "../../../tee-bot/health/health.ts";

const step = (name: HealthStep, ok: boolean): StepReport => ({ step: name, ok, detail: "" });

describe("decideHealth", () => {
  const cases: [registered: boolean, reachable: boolean, wasHealthy: boolean, status: string][] = [
    [true, true, true, "healthy"],
    [true, true, false, "healthy"],
    [false, true, false, "degraded"],
    [false, true, true, "degraded"],
    [true, false, true, "degraded"],
    [false, false, true, "degraded"],
    [true, false, false, "starting"],
    [false, false, false, "starting"],
  ];
  it.each(cases)("registered %s, reachable %s, healthy before %s: %s", (registered, reachable, wasHealthy, status) => {
    const steps = [step("registration", registered), step("loopback", reachable)];
    const report = decideHealth(steps, { hostnames: ["a.test"], wasHealthy, troubled: false, cutOff: false });
    expect(report).toEqual({ status, hostnames: ["a.test"], steps });
  });

  it.each([
    [true, true, "down"],
    [true, false, "down"],
    [false, false, "starting"],
  ])("where no visitor gets through, reachable %s, healthy before %s: %s", (reachable, wasHealthy, status) => {
    const steps = [step("loopback", reachable), step("paths", false)];
    expect(decideHealth(steps, { hostnames: [], wasHealthy, troubled: false, cutOff: true }).status).toBe(status);
  });

  it("calls a name degraded that somebody has to look at, though every step is made", () => {
    const steps = [step("registration", true), step("loopback", true)];
    const surroundings = { hostnames: [], wasHealthy: true, troubled: true, cutOff: false };
    expect(decideHealth(steps, surroundings).status).toBe("degraded");
  });
});
