/** What the threads of a relay say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { MetricObject } from "prom-client";
import type { LogFields, LogLevel } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import type { FeedMessage } from "../../shared/registry/feed.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import type { RelayConfig } from "../config.ts";
import type { PartState } from "../tunnel/tunnel-part.ts";

/** With what a thread begins. */
export interface ThreadStart {
  /** From 0; which one it is. */
  thread: number;
  config: RelayConfig;
  identity: Identity;
  passes: SharedArrayBuffer;
  counts: SharedArrayBuffer;
  ticketSecret: Uint8Array;
  hopSecret: Uint8Array;
}

/** From the head to a thread, obeyed in order. */
export type Command =
  | { type: "sibling"; thread: number; port: MessagePort; hopPort: number }
  | { type: "sibling-ended"; thread: number }
  | { type: "take"; message: FeedMessage }
  | { type: "take-fleet"; fleet: readonly FleetRelay[] }
  | { type: "inform" }
  | { type: "listen"; port: number }
  | { type: "measure"; ask: number }
  | { type: "refuse-tunnels"; goaway: Goaway }
  | { type: "announce"; goaway: Goaway }
  | { type: "close"; goaway: Goaway }
  | { type: "stop" };

export type LogLine = readonly [level: LogLevel, event: string, fields: LogFields];

/** From a thread to the head. */
export type ThreadEvent =
  | { type: "ready"; hopPort: number }
  | { type: "listening"; port: number }
  | { type: "failed"; detail: string }
  | { type: "measured"; ask: number; metrics: readonly MetricObject[] }
  | { type: "emptied" }
  | { type: "stopped" }
  | { type: "logged"; lines: readonly LogLine[] };

/** Between any two threads. The holder of a tunnel is the one to which its control connection came. */
export type SiblingMessage =
  // From the holder.
  | { type: "opened"; id: number; node: NodeId; epoch: number; hops: boolean }
  | { type: "close"; id: number }
  | { type: "destroy"; id: number }
  | { type: "trim"; id: number; count: number }
  | { type: "proof"; ask: number; alive: boolean }
  /** Everything that was open has been told. */
  | { type: "joined" }
  // To the holder.
  | {
      type: "told";
      states: readonly (readonly [id: number, state: PartState])[];
      /** Whether the nodes of these live. */
      asks: readonly (readonly [id: number, ask: number])[];
    }
  | { type: "retire"; id: number; goaway: Goaway };
