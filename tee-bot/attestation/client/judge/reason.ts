/** Why a verdict is what it is, in one sentence. */
import { checkTitles, type Check, type CheckId, type Verdict } from "../../../../shared/attestation/check.ts";
import { timeOf } from "./binding.ts";
import type { Observation } from "../observation.ts";

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
