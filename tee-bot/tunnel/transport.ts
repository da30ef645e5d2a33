/** How a node's visitors travel between a relay and the node, and the rules by which `auto` chooses. */

/** From the fastest to the one that gets through where hardly anything does. */
export const transports = ["pool", "tls", "http2"] as const;
export type Transport = (typeof transports)[number];

/** `auto`: the best that works. */
export const transportSettings = ["auto", ...transports] as const;
export type TransportSetting = (typeof transportSettings)[number];

/** What was seen of the connections of one pool since the last one that brought a visitor. */
export interface PoolEvidence {
  /** Refused, cut as soon as they were there, or answered by somebody who is not the relay. */
  readonly failed: number;
  /** Passes that never reached the relay, as it says. */
  readonly missed: number;
}

const maxFailed = 8;
const maxMissed = 4; // one or two may be those of a process that stood still

/** Whether the pool does not get through, so that another transport is to be tried. */
export function isPoolUnfit({ failed, missed }: PoolEvidence): boolean {
  return failed >= maxFailed || missed >= maxMissed;
}

/** What to fall back to; undefined when there is nothing left. */
export function nextTransport(transport: Transport): Transport | undefined {
  return transports[transports.indexOf(transport) + 1];
}

/** Those to try again while this one is in use, the best first. */
export function betterThan(transport: Transport): readonly Transport[] {
  return transports.slice(0, transports.indexOf(transport));
}

const retryMs = 10 * 60_000;

/** How long until better transports are tried again: ten minutes, a fifth more or less, so that nodes do not come as one. */
export function decideRetryMs(random: () => number): number {
  return Math.round(retryMs * (0.8 + 0.4 * random()));
}

const maxUnreachable = 3;

/** Whether to start again from the best: a relay that cannot be reached over a fallback may not know it at all. */
export function decideAfterUnreachable(transport: Transport, inARow: number): Transport {
  return inARow >= maxUnreachable ? "pool" : transport;
}
