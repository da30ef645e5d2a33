/** What the node and its engine say to each other over the IPC channel. Calls go over the socket. */
import type { LogFields } from "../../shared/log.ts";

/** The first word, by the node. */
export interface EngineStart {
  /** Path of the Unix socket to listen on; its directory is the engine's own. */
  readonly socket: string;
  readonly models: readonly EngineModel[];
}

export interface EngineModel {
  readonly id: string;
  /** Absolute path of a GGUF file. */
  readonly path: string;
  /** In tokens, for each answer that is made at a time; undefined: {@link decideContextSize}. */
  readonly contextSize: number | undefined;
}

/** By the engine. */
export type EngineWord =
  | { readonly type: "ready" }
  /** It cannot start, and would not the next time. */
  | { readonly type: "failed"; readonly reason: string }
  /** The model is in memory. */
  | { readonly type: "loaded"; readonly model: string }
  | { readonly type: "log"; readonly event: string; readonly fields: LogFields };

/** What is kept in memory of each conversation grows with it, and some models were trained for a million tokens. */
const usualContextSize = 8_192;

export function decideContextSize(wanted: number | undefined, trained: number | undefined): number {
  return wanted ?? Math.min(trained ?? usualContextSize, usualContextSize);
}
