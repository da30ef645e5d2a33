import type { PartState, TunnelPart } from "../tunnel/tunnel-part.ts";
import type { SiblingMessage } from "./messages.ts";

const nothing: PartState = { idle: 0, waiting: 0, arrivalsPerSecond: 0, busy: 0, closed: false };

/** Stands for the part of a tunnel that another thread has, where the control connection is. */
export class RemotePart implements TunnelPart {
  /** What the other thread has said last. */
  state: PartState = nothing;
  readonly #id: number;
  readonly #post: (message: SiblingMessage) => void;

  constructor(id: number, post: (message: SiblingMessage) => void) {
    this.#id = id;
    this.#post = post;
  }

  close(): void {
    this.#post({ type: "close", id: this.#id });
  }

  destroy(): void {
    this.#post({ type: "destroy", id: this.#id });
  }

  trim(count: number): void {
    this.#post({ type: "trim", id: this.#id, count });
  }
}
