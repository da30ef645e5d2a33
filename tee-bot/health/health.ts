/** Each step between the node and a working public name, in the order in which they happen. */
export const healthSteps = ["identity", "registration", "alias", "certificate", "tunnels", "loopback"] as const;
export type HealthStep = (typeof healthSteps)[number];

export interface StepReport {
  readonly step: HealthStep;
  readonly ok: boolean;
  /** One sentence for the operator. */
  readonly detail: string;
}

export interface HealthReport {
  /** `healthy` only when a call through the relay to our own name reached our own key. */
  readonly status: "starting" | "healthy" | "degraded";
  readonly hostnames: string[];
  readonly steps: StepReport[];
}

export interface HealthSurroundings {
  hostnames: string[];
  /** The name has answered since this process began. */
  wasHealthy: boolean;
  /** Somebody has to look at something, though every step is made: a record that is overridden, say. */
  troubled: boolean;
}

/**
 * The state of the name. `degraded`: reachable from outside, yet something needs attention, or reachable
 * once and not now; `starting`: never reachable since this process began.
 */
export function decideHealth(
  steps: StepReport[],
  { hostnames, wasHealthy, troubled }: HealthSurroundings,
): HealthReport {
  const allWell = steps.every(({ ok }) => ok) && !troubled;
  const reachable = steps.some(({ step, ok }) => step === "loopback" && ok);
  return { status: allWell ? "healthy" : wasHealthy || reachable ? "degraded" : "starting", hostnames, steps };
}
