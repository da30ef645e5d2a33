/** Why a verdict is what it is, in one sentence; and what no verdict of ours says. */
import { checkTitles, type Check, type CheckId, type Verdict } from "../../../shared/attestation/check.ts";
import { timeOf } from "./binding.ts";
import type { Observation } from "./observation.ts";

export interface ReasonFacts {
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  readonly required: readonly CheckId[];
  readonly observation: Observation;
}

export function reasonFor({ verdict, checks, required, observation }: ReasonFacts): string {
  const { hostname, recorder, at } = observation;
  switch (verdict) {
    case "refused":
      return checks.find(({ outcome }) => outcome === "fail")?.detail ?? "A check failed.";
    case "unknown": {
      const id = required.find((one) => !checks.some((check) => check.id === one && check.outcome === "pass"));
      const detail = checks.find((check) => check.id === id)?.detail ?? "it was not looked at.";
      return id ? `Not known: ${checkTitles[id]}. ${detail}` : "A required check was not made.";
    }
    case "simulated":
      return "Every required check passed under the root of a simulator that you named. It proves nothing: no hardware has signed.";
    case "verified":
      return recorder === undefined
        ? `This connection to ${hostname} ends in a TEE that runs the code below.`
        : `At ${timeOf(at.seconds)}, by the clock of ${recorder}, a TEE that runs the code below held the keys of ${hostname}.`;
  }
}

/** True whatever the verdict: what attestation does not reach. */
export function listNotProven(observation: Pick<Observation, "recorder">): string[] {
  const always = [
    "What the code does: read the source that the images were built from.",
    "Which model weights are loaded, and that a GPU belongs to this TEE.",
    "That nobody has opened the hardware (physical attacks on memory or fuses).",
    "Encrypted environment variables: the host can replace them, unless the compose text pins them.",
  ];
  if (observation.recorder === undefined) return [...always, "Later connections: each has to be checked by itself."];
  return [
    ...always,
    `Time, nonce and connection: they are the word of ${observation.recorder}.`,
    "What was withdrawn after the recording, by Intel or by the node.",
  ];
}
