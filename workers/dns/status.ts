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

/** The records of a node in words. What lasts is told although all is written: the next challenge would meet it. */
export function decideStatus({ records, missing, waitMs, zone, refusal }: StatusFacts): DnsStatus {
  if (missing === 0) {
    const words = records === 0 ? "no records are wanted" : `${count(records)} written`;
    return { state: "written", records, words, ...(zone?.lasting && { trouble: plain(zone) }) };
  }
  const trouble = zone ?? refusal;
  const waiting = `${missing} of ${count(records)} to be written`;
  if (!trouble) return { state: "pending", records, words: waiting };
  const next = waitMs > 0 ? `, next try in ${Math.ceil(waitMs / 1000)} s` : "";
  return {
    state: zone?.lasting || refusal ? "failing" : "pending",
    records,
    words: `${waiting}${next}: ${trouble.detail}`,
    trouble: plain(trouble),
  };
}

const plain = ({ detail, remedy }: Trouble): Trouble => ({ detail, remedy });

const count = (records: number): string => (records === 1 ? "1 record" : `${records} records`);
