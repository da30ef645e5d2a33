/** What one visitor did, and what was done to the system meanwhile. */

export interface Exchange {
  /** What the visitor did, such as `download`. */
  readonly kind: string;
  readonly node: string;
  /** The relay it reached last. */
  readonly relay: string;
  /** That relay had no tunnel of the node's when the visitor chose it. */
  readonly forwarded: boolean;
  /** Milliseconds of one clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Bytes of which each was compared with what it should be. */
  readonly bytes: number;
  /**
   * `short`: the connection ended as if that were all, and it was not; `corrupt`: a byte was wrong, or an answer that
   * says its own length was taken for whole and was not.
   */
  readonly outcome: "done" | "failed" | "short" | "corrupt";
  readonly detail: string;
}

/** A fault, from its begin until everybody answers again. */
export interface Disturbance {
  readonly what: string;
  readonly from: number;
  /** Undefined while it lasts. */
  until: number | undefined;
  /** Whose visitors it may cost; everybody else must not notice. */
  readonly relays: readonly string[];
  readonly nodes: readonly string[];
  /** A process that is killed ends its connections as if it had meant to: a visitor of the relay itself sees that. */
  readonly endsCleanly: boolean;
}

/** The visitor's answer differs from what was sent. */
export class Corruption extends Error {}

/** The connection ended in order before everything had come. */
export class ShortAnswer extends Error {}
