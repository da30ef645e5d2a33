import type { Tee } from "../attestation/attestation.ts";

/** Each step between the node and a working public name, in the order in which they happen. */
export const healthSteps = [
  "identity",
  "registration",
  "alias",
  "attestation",
  "certificate",
  "tunnels",
  "loopback",
  "paths",
] as const;
export type HealthStep = (typeof healthSteps)[number];

/**
 * `healthy`: a call through the relay to our own name reached our own key, and relays that looked from outside did too.
 * `degraded`: reachable, yet something needs attention, or reachable once and not now. `down`: the node is well, and
 * visitors do not get through to it. `starting`: never reachable since this process began.
 */
export const healthStates = ["starting", "healthy", "degraded", "down"] as const;

export interface StepReport {
  readonly step: HealthStep;
  readonly ok: boolean;
  /** One sentence for the operator. */
  readonly detail: string;
}

export interface HealthReport {
  readonly status: (typeof healthStates)[number];
  /** Where the node runs. */
  readonly tee: Tee;
  readonly hostnames: string[];
  readonly steps: StepReport[];
}

export interface HealthSurroundings {
  tee: Tee;
  hostnames: string[];
  /** The name has answered since this process began. */
  wasHealthy: boolean;
  /** Somebody has to look at something, though every step is made: a record that is overridden, say. */
  troubled: boolean;
  /** Relays that looked from outside got through on no way. */
  cutOff: boolean;
}

/** The state of the name. */
export function decideHealth(
  steps: StepReport[],
  { tee, hostnames, wasHealthy, troubled, cutOff }: HealthSurroundings,
): HealthReport {
  const allWell = steps.every(({ ok }) => ok) && !troubled;
  const reachable = steps.some(({ step, ok }) => step === "loopback" && ok);
  const status = cutOff ? "down" : allWell ? "healthy" : "degraded";
  return { status: allWell || wasHealthy || reachable ? status : "starting", tee, hostnames, steps };
}
