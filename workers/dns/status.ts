import type { DnsStatus } from "./publication.ts";
import type { Trouble } from "../../shared/acme/ports.ts";

export interface StatusFacts {
  /** Wanted for the node. */
  readonly records: number;
  /** Of these, not known to stand there. */
  readonly missing: number;
  /** Until something is tried again. */
  readonly waitMs: number;
  /** What is wrong with the zone. */
  readonly zone: (Trouble & { readonly lasting: boolean }) | undefined;
  /** What is wrong with one of the node's records. */
  readonly refusal: Trouble | undefined;
}

/** The records of a node in words. */
export function decideStatus({ records, missing, waitMs, zone, refusal }: StatusFacts): DnsStatus {
  if (missing === 0)
    return { state: "written", records, words: records === 0 ? "no records are wanted" : `${count(records)} written` };
  const trouble = zone ?? refusal;
  const waiting = `${missing} of ${count(records)} to be written`;
  if (!trouble) return { state: "pending", records, words: waiting };
  const next = waitMs > 0 ? `, next try in ${Math.ceil(waitMs / 1000)} s` : "";
  return {
    state: zone?.lasting || refusal ? "failing" : "pending",
    records,
    words: `${waiting}${next}: ${trouble.detail}`,
    trouble: { detail: trouble.detail, remedy: trouble.remedy },
  };
}

const count = (records: number): string => (records === 1 ? "1 record" : `${records} records`);
