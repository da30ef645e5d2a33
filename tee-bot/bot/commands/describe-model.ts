import type { OfferedModel } from "../model/model.ts";

/** Who can read what this model is asked. */
export function describeTrust({ trust, attestation }: Pick<OfferedModel, "trust" | "attestation">): string {
  if (trust === "local") return "here, on my own machine";
  if (trust === "plain") return "in a cloud, whose operator can read along";
  if (attestation === "verified") return "in a TEE, which I have verified ✓";
  if (attestation === "simulated") return "in a simulated TEE, which protects nothing";
  return "in a TEE, says its provider; not verified";
}

/** What else there is to know of it. */
export function describeSkills({ hasVision, isDemo }: Pick<OfferedModel, "hasVision" | "isDemo">): string {
  return `${hasVision === true ? ", sees pictures" : ""}${isDemo ? ", a toy to try things out" : ""}`;
}
