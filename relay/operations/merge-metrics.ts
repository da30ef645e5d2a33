import { AggregatorRegistry, type MetricObject, type Registry } from "prom-client";

/** One answer from what several threads have counted: sums, but for delays, of which the longest counts. */
export function mergeMetrics(lists: readonly (readonly MetricObject[])[]): Registry {
  return AggregatorRegistry.aggregate(
    lists.map((metrics) => metrics.map((metric) => ({ ...metric, aggregator: aggregatorOf(metric.name) }))),
  );
}

function aggregatorOf(name: string): "first" | "max" | "sum" {
  if (name.startsWith("process_") || name === "nodejs_version_info") return "first";
  return name.startsWith("nodejs_eventloop_lag") ? "max" : "sum";
}
