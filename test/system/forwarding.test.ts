/** Three relays, a node with tunnels to two of them, and every visitor at the third. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { healthOf, startFleetProcesses, type FleetProcesses, type RunningRelay } from "../support/fleet-processes.ts";
import { stopProcess, until } from "../support/postern.ts";
import { hashOfBytes, startService, type Service } from "../support/service.ts";

const alias = "elsewhere";
const labels = ["a", "b", "c"];
const visitTimeoutMs = 10_000;
const visitEveryMs = 20;
/** A machine that stands still for two of them and a half has the edge take living relays for dead, so not shorter. */
const heartbeatMs = 4_000;
/** How long a killed process may seem to be there: what was on the way to it when it died is lost. */
const deathMs = 250;

let fleet: FleetProcesses;
let service: Service;
let relays: RunningRelay[];

beforeAll(async () => {
  service = await startService();
  fleet = await startFleetProcesses({ labels, vars: { RELAY_HEARTBEAT_MS: String(heartbeatMs) } });
  relays = await Promise.all(labels.map((label) => fleet.startRelay(label)));
  await fleet.startNode(alias, ["--expose", service.url]);
  await until(async () => (await healthOf(entry())).others === 2, 20_000, "the relays know each other");
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
});

/** The relay without the node. */
function entry(): RunningRelay {
  const [found, ...more] = relays.filter((relay) => !fleet.isUp(alias, relay));
  if (!found || more.length > 0) throw new Error("The node has tunnels to two of the three relays.");
  return found;
}

async function served({ privatePort }: RunningRelay, direction: "in" | "out"): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${privatePort}/metrics`)).text();
  const sample = `postern_relay_forwarded_total{direction="${direction}",outcome="served"} `;
  const line = text.split("\n").find((one) => one.startsWith(sample));
  return line ? Number(line.slice(sample.length)) : 0;
}

function visit(relay: RunningRelay, path: string): ReturnType<FleetProcesses["visit"]> {
  return fleet.visit(alias, relay, path, visitTimeoutMs);
}

it("carries what visitors ask for through a relay without the node", async () => {
  const answers = await Promise.all(Array.from({ length: 3 }, () => visit(entry(), "/bytes?mib=16")));
  const hashes = answers.map(({ body }) => createHash("sha256").update(body).digest("hex"));
  expect(hashes).toEqual(hashes.map(() => hashOfBytes(16)));
  expect(await served(entry(), "out")).toBeGreaterThanOrEqual(3);
});

it("serves every new visitor while a relay that has the node is killed", { timeout: 60_000 }, async () => {
  const third = entry();
  const [doomed, left] = relays.filter((relay) => relay !== third);
  if (!doomed || !left) throw new Error("The node has tunnels to two of the three relays.");
  let killedAt = Number.POSITIVE_INFINITY;
  const failures: string[] = [];
  const visits: Promise<void>[] = [];
  const loading = setInterval(() => {
    const startedAt = performance.now();
    const visited = visit(third, "/").then(
      ({ body }) => void (body.toString().startsWith("hello") || failures.push(`wrong answer: ${body.toString()}`)),
      (error: Error) => {
        // Who was on the way through the killed relay is lost with it.
        if (performance.now() < killedAt || startedAt > killedAt + deathMs) failures.push(error.message);
      },
    );
    visits.push(visited);
  }, visitEveryMs);

  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = await Promise.all([served(doomed, "in"), served(left, "in")]);
  for (const count of before) expect(count).toBeGreaterThan(10);
  killedAt = performance.now();
  await stopProcess(doomed.child, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  clearInterval(loading);
  await Promise.all(visits);
  expect(failures).toEqual([]);
  expect(visits.length).toBeGreaterThan(100);
  expect(await served(left, "in")).toBeGreaterThan((before[1] ?? 0) + 10);
});
