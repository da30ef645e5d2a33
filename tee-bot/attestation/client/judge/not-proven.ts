/** What a verdict does not say, for whoever reads it: what the policy left open, and what attestation does not reach. */
import type { Check } from "../../../../shared/attestation/check.ts";
import type { Policy } from "../../../../shared/attestation/policy.ts";

export interface NotProvenFacts {
  readonly checks: readonly Check[];
  readonly policy: Policy;
  readonly recorder: string | undefined;
}

/** The gravest first. */
export function listNotProven({ checks, policy, recorder }: NotProvenFacts): string[] {
  const passed = (id: Check["id"]): boolean => checks.some((check) => check.id === id && check.outcome === "pass");
  return [
    ...(policy.compose ? [] : ["That it is the code you want: no policy names its compose hash, so any would pass."]),
    ...(passed("os-image")
      ? []
      : ["That the operating system is an honest one: no policy names it, and another could log what it likes."]),
    "What the code does: read the source that the images were built from.",
    "Which model weights are loaded, and that a GPU belongs to this TEE.",
    "That nobody has opened the hardware (physical attacks on memory or fuses).",
    "Encrypted environment variables: the host can replace them, unless the compose text pins them.",
    ...(recorder === undefined
      ? ["Other connections: each has to be checked by itself."]
      : [
          `Time, nonce and connection: they are the word of ${recorder}.`,
          "What was withdrawn after the recording, by Intel or by the node.",
        ]),
  ];
}
