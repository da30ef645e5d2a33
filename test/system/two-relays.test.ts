import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  startFleetProcesses,
  type FleetProcesses,
  type RunningRelay,
  type Visited,
} from "../support/fleet-processes.ts";
import { stopProcess, until } from "../support/postern.ts";

const alias = "twice";
const labels = ["a", "b"];

describe("a node with two relays", () => {
  let fleet: FleetProcesses;
  let relays: RunningRelay[];

  beforeAll(async () => {
    fleet = await startFleetProcesses({ labels });
    relays = await Promise.all(labels.map((label) => fleet.startRelay(label)));
    await fleet.startNode(alias);
  });

  afterAll(() => fleet?.[Symbol.asyncDispose]());

  const ask = async (at: Visited): Promise<number> => (await fleet.visit(alias, at, "/")).status;

  it("answers through either", async () => {
    expect(fleet.status(alias)?.relays).toEqual([
      { name: expect.stringMatching(/^relay-[ab]\./) as string, up: true, transport: "pool" },
      { name: expect.stringMatching(/^relay-[ab]\./) as string, up: true, transport: "pool" },
    ]);
    for (const relay of relays) expect(await ask(relay)).toBe(200);
  });

  it("goes on through the other when one is killed, and says that one is missing", async () => {
    const [first, second] = relays;
    if (!first || !second) throw new Error("two relays were started");
    await stopProcess(first.child, "SIGKILL");
    expect(await ask(second)).toBe(200);
    await expect(ask(first)).rejects.toThrow("ECONNREFUSED");
    await until(() => fleet.status(alias)?.health.status === "degraded", 5_000, "the node notices");
    const steps = fleet.status(alias)?.health.steps;
    expect(steps?.find(({ step }) => step === "tunnels")?.detail).toBe("1 of 2 relays are connected.");
  });
});
