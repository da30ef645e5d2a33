import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { mergeMetrics } from "../../../relay/operations/merge-metrics.ts";

function threadWith(visitors: number, delay: number) {
  const registers = [new Registry()];
  new Counter({ name: "visitors_total", help: "x", labelNames: ["ended"], registers }).inc({ ended: "idle" }, visitors);
  new Histogram({ name: "seconds", help: "x", buckets: [1, 2], registers }).observe(delay);
  new Gauge({ name: "nodejs_eventloop_lag_max_seconds", help: "x", registers }).set(delay);
  new Gauge({ name: "process_open_fds", help: "x", registers }).set(100);
  return registers[0]?.getMetricsAsJSON() ?? Promise.resolve([]);
}

test("metrics of several threads are summed, of delays the longest is told, of the process the one", async () => {
  const merged = mergeMetrics([await threadWith(3, 0.5), await threadWith(4, 1.5)]);
  const lines = (await merged.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines.toSorted()).toEqual(
    [
      'visitors_total{ended="idle"} 7',
      'seconds_bucket{le="1"} 1',
      'seconds_bucket{le="2"} 2',
      'seconds_bucket{le="+Inf"} 2',
      "seconds_sum 2",
      "seconds_count 2",
      "nodejs_eventloop_lag_max_seconds 1.5",
      "process_open_fds 100",
    ].toSorted(),
  );
});
