/** What probes have met; no label holds a name or an address. */
import { Counter, Histogram, Registry } from "prom-client";
import type { ProbeOutcome } from "./reasons.ts";

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export class ProbeMetrics {
  readonly registry = new Registry();
  readonly #probes = new Counter({
    name: "postern_relay_probes_total",
    help: "Looks at names of nodes, as a visitor comes",
    labelNames: ["outcome"],
    registers: [this.registry],
  });
  readonly #seconds = new Histogram({
    name: "postern_relay_probe_seconds",
    help: "How long a look took, DNS and TLS handshake",
    buckets,
    registers: [this.registry],
  });

  probed(outcome: ProbeOutcome, seconds: number): void {
    this.#probes.inc({ outcome });
    this.#seconds.observe(seconds);
  }
}
