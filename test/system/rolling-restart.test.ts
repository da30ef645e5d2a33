/** Two relays are restarted one after the other, as an operator would, with other threads, while visitors keep coming. */
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { healthOf, startFleetProcesses, type FleetProcesses, type RunningRelay } from "../support/fleet-processes.ts";
import { freePort, until } from "../support/postern.ts";
import { startService, type Service } from "../support/service.ts";

const alias = "rolling";
const labels = ["a", "b"];
const visitEveryMs = 10;
const streamEveryMs = 250;
/** With how many threads the relays are started again, each time that all are. */
const rounds = [2, 1];
/** How long clients remember where a name leads. */
const rememberedMs = 300;

let fleet: FleetProcesses;
let service: Service;
let relays: RunningRelay[];

function startRelay(label: string, port: number, privatePort: number, threads: number): Promise<RunningRelay> {
  const environment = {
    RELAY_WORKERS: String(threads),
    RELAY_DRAIN_QUIET_MS: "500",
    RELAY_DRAIN_MS: "10000",
  };
  return fleet.startRelay(label, { port, privatePort, environment });
}

beforeAll(async () => {
  service = await startService();
  fleet = await startFleetProcesses({ labels, vars: { LEASE_MS: "3000" } });
  relays = await Promise.all(labels.map(async (label) => startRelay(label, await freePort(), await freePort(), 1)));
  await fleet.startNode(alias, ["--expose", service.url]);
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
});

async function isReady({ privatePort }: RunningRelay): Promise<boolean> {
  const url = `http://127.0.0.1:${privatePort}/readyz`;
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

it(
  "rolling restarts of relays, of one thread or two, drop no new connection and cut no stream",
  {
    timeout: 120_000,
  },
  async () => {
    // The relays that the edge names for this node and that it has reached: DNS, which is never quicker than that.
    const lookUp = (): RunningRelay[] => relays.filter((relay) => fleet.isUp(alias, relay));
    let named = lookUp();
    const looking = setInterval(() => (named = lookUp()), rememberedMs);
    const failures: string[] = [];
    const visits: Promise<void>[] = [];
    const visitsBy = new Map<number, number>();
    const send = (path: string, expected: (body: string) => boolean): void => {
      const relay = named[visits.length % named.length];
      if (relay === undefined) return void failures.push("no relay is ready");
      visitsBy.set(relay.port, (visitsBy.get(relay.port) ?? 0) + 1);
      const visited = fleet.visit(alias, relay, path).then(
        ({ body }) => void (expected(body.toString()) || failures.push(`wrong answer: ${body.toString()}`)),
        (error: Error) => void failures.push(`${path}: ${error.message}`),
      );
      visits.push(visited);
    };
    const loading = setInterval(() => send("/", (body) => body.startsWith("hello")), visitEveryMs);
    const streaming = setInterval(
      () => send("/events?count=60&everyMs=50", (body) => body.match(/^data: /gm)?.length === 60),
      streamEveryMs,
    );

    const restart = async (at: number, threads: number): Promise<void> => {
      const { child, label, port, privatePort } = relays[at]!;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      expect(await exited).toEqual([0, null]);
      const restarted = await startRelay(label, port, privatePort, threads);
      relays[at] = restarted;
      await until(
        async () => (await isReady(restarted)) && (await healthOf(restarted)).tunnels > 0,
        20_000,
        "it is back",
      );
    };
    for (const threads of rounds) for (const at of relays.keys()) await restart(at, threads);
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(loading);
    clearInterval(streaming);
    clearInterval(looking);
    await Promise.all(visits);

    expect(failures).toEqual([]);
    expect(visits.length).toBeGreaterThan(500);
    for (const { port } of relays) expect(visitsBy.get(port)).toBeGreaterThan(100);
  },
);
