/** What operators are given must fit the relay that runs. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RelayMetrics } from "../../../relay/operations/metrics.ts";
import { ProbeMetrics } from "../../../relay/probes/probe-metrics.ts";
import { processMetrics } from "../../../relay/operations/process-metrics.ts";

const settings = [
  ...readFileSync("relay/config.ts", "utf8").matchAll(/^ {2}(RELAY_[A-Z_]+|LOG_LEVEL|ACCESS_LOG): /gm),
].map(([, name]) => name ?? "");

interface Dashboard {
  panels: { title: string; targets?: { expr: string }[] }[];
}

test("docs/run-a-relay.md lists every setting", () => {
  const guide = readFileSync("docs/run-a-relay.md", "utf8");
  expect(settings.length).toBeGreaterThan(30);
  expect(settings.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
});

test("the dashboard asks only for metrics that a relay has, and for each of its own", async () => {
  const counts = { connections: 0, pendingHellos: 0, visitors: 0, tunnels: 0, poolIdle: 0, peers: 0 };
  const sums = { forwarded: { out: 0, in: 0 }, bytes: { received: 0, sent: 0 } };
  const { registry } = new RelayMetrics(() => ({ ...counts, ...sums }));
  const own = processMetrics(() => ({ routes: 0, feed: { connected: true }, draining: false }));
  const metrics = [...(await registry.getMetricsAsJSON()), ...(await own.getMetricsAsJSON())];
  metrics.push(...(await new ProbeMetrics().registry.getMetricsAsJSON()));
  const names = metrics.map(({ name }) => name);
  const { panels } = JSON.parse(readFileSync("docs/grafana-relay.json", "utf8")) as Dashboard;
  const asked = panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .flatMap((expr) => [...expr.matchAll(/\b(?:postern_relay|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name))
    .map((name) => name.replace(/_bucket$/, ""));
  expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  expect(names.filter((name) => name.startsWith("postern_") && !asked.includes(name))).toEqual([]);
});

test("the unit waits longer for a drain than the drain takes", () => {
  const unit = readFileSync("deploy/postern-relay.service", "utf8");
  const [, drainSeconds] =
    /RELAY_DRAIN_MS: milliseconds\.default\((\d+)_000\)/.exec(readFileSync("relay/config.ts", "utf8")) ?? [];
  const [, stopSeconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  expect(Number(stopSeconds)).toBeGreaterThan(Number(drainSeconds));
});
