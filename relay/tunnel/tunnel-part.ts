/**
 * Where a tunnel's control connection and what serves visitors meet: the one is in one thread, parts of the other in each.
 * In a relay of one thread they are two objects that call each other.
 */
import type { Socket } from "node:net";
import type { Goaway } from "../../shared/tunnel/control.ts";

/** What a part has. */
export interface PartState {
  /** Connections that wait for a visitor. */
  readonly idle: number;
  /** Visitors that wait for a connection. */
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  /** Visitors that have a connection. */
  readonly busy: number;
  /** Takes no visitor any more. */
  readonly closed: boolean;
}

/** One thread's part of a tunnel, as the control connection sees it. */
export interface TunnelPart {
  readonly state: PartState;
  /** No new visitor from now on; what runs may finish. */
  close(): void;
  /** Ends everything at once; visitors see a reset. */
  destroy(): void;
  /** Closes so many of the idle connections. */
  trim(count: number): void;
  /** Takes a connection that the node has dialled with a pass of this tunnel; where there are passes. */
  adopt?(socket: Socket): void;
}

/** The control connection, as a part sees it. */
export interface ControlLink {
  /** The part's state has changed; that a visitor has left counts only once it is closed. Costs little. */
  changed(): void;
  /** Whether the node lives at some time after this call. */
  proveAlive(): Promise<boolean>;
  /** Tells the node why it is not served any more, and closes every part. */
  retire(goaway: Goaway): void;
}
