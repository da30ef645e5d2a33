/** One line for each visitor at its end: who reached whom, for how long and how much. Never what was said. */
import type { Log } from "../../shared/log.ts";

export interface Visit {
  /** What the ClientHello asked for; undefined when it named nothing. */
  name: string | undefined;
  node: string | undefined;
  /** The visitor's IPv4 address, or the /64 of its IPv6 address. */
  network: string;
  /** The relay that has forwarded it to this one. */
  from: string | undefined;
  /** The relay that it was forwarded to. */
  via: string | undefined;
  /** How it ended, or why it was refused. */
  outcome: string;
  bytesIn: number;
  bytesOut: number;
  ms: number;
}

export type AccessLog = (visit: Visit) => void;

/** Does nothing when it is off. */
export function accessLog({ on, log }: { on: boolean; log: Log }): AccessLog {
  if (!on) return () => {};
  return ({ name, node, network, from, via, outcome, bytesIn, bytesOut, ms }) =>
    log.info("visitor.ended", { name, node, network, from, via, outcome, bytesIn, bytesOut, ms });
}
