import { describe, expect, it } from "vitest";
import {
  decideHealth,
  type HealthStep,
  type HealthSurroundings,
  type StepReport,
} from "../../../tee-bot/health/health.ts";

const step = (name: HealthStep, ok: boolean): StepReport => ({ step: name, ok, detail: "" });

const somewhere: HealthSurroundings = {
  tee: "none",
  hostnames: [],
  wasHealthy: false,
  troubled: false,
  cutOff: false,
};

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
    const report = decideHealth(steps, { ...somewhere, hostnames: ["a.test"], wasHealthy });
    expect(report).toEqual({ status, tee: "none", hostnames: ["a.test"], steps });
  });

  it.each([
    [true, true, "down"],
    [true, false, "down"],
    [false, false, "starting"],
  ])("where no visitor gets through, reachable %s, healthy before %s: %s", (reachable, wasHealthy, status) => {
    const steps = [step("loopback", reachable), step("paths", false)];
    expect(decideHealth(steps, { ...somewhere, wasHealthy, cutOff: true }).status).toBe(status);
  });

  it("calls a name degraded that somebody has to look at, though every step is made", () => {
    const steps = [step("registration", true), step("loopback", true)];
    const surroundings = { ...somewhere, wasHealthy: true, troubled: true };
    expect(decideHealth(steps, surroundings).status).toBe("degraded");
  });
});
