/** The control connection of one tunnel, from a node's admission to its end, with what the parts of the tunnel need of it. */
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import type { AdmittedNode } from "../door/control-door.ts";
import type { Passes } from "./passes.ts";
import { PoolDemand } from "./pool-demand.ts";
import type { ControlLink, TunnelPart } from "./tunnel-part.ts";

export interface TunnelControlOptions {
  /** Its number in this relay. */
  id: number;
  admitted: AdmittedNode;
  passes: Passes;
  floor: number;
  cap: number;
  /** Takes no visitor any more. */
  onClosed: () => void;
  clock: Clock;
  log: Log;
}

export class TunnelControl implements ControlLink {
  readonly id: number;
  readonly admitted: AdmittedNode;
  readonly #parts = new Set<TunnelPart>();
  /** Of a pool only. */
  readonly #demand: PoolDemand | undefined;
  /** Asked for and not answered: the channel must not be closed by this end before. */
  #proofs = 0;
  #closed = false;

  readonly #options: TunnelControlOptions;

  constructor(options: TunnelControlOptions) {
    this.#options = options;
    this.id = options.id;
    this.admitted = options.admitted;
    const { channel, link } = options.admitted;
    this.#demand = link ? undefined : new PoolDemand({ ...options, channel, parts: this.#parts });
  }

  get closed(): boolean {
    return this.#closed;
  }

  join(part: TunnelPart): void {
    this.#parts.add(part);
    this.changed();
  }

  /** The part is gone, and what it had with it. */
  leave(part: TunnelPart): void {
    this.#parts.delete(part);
    this.changed();
  }

  changed(): void {
    this.#demand?.refillSoon();
    this.#endWhenDone();
  }

  async proveAlive(): Promise<boolean> {
    this.#proofs++;
    const alive = await this.admitted.channel.proveAlive();
    this.#proofs--;
    this.#endWhenDone();
    return alive;
  }

  retire(goaway: Goaway): void {
    if (this.#closed) return;
    const { node, epoch, channel } = this.admitted;
    this.#options.log.info("tunnel.retired", { node, epoch, reason: goaway.reason });
    channel.send({ type: "goaway", ...goaway });
    this.close();
  }

  /** No new visitor from now on; what runs may finish, then the control connection is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClosed();
    this.#demand?.stop();
    for (const part of this.#parts) part.close();
    this.#endWhenDone();
  }

  /** Ends everything at once; visitors see a reset. */
  destroy(): void {
    this.close();
    for (const part of this.#parts) part.destroy();
    this.admitted.channel.end("ended", "The tunnel was destroyed.");
    this.admitted.link?.destroy();
  }

  #endWhenDone(): void {
    if (!this.#closed || this.#proofs > 0) return;
    for (const { state } of this.#parts) if (!state.closed || state.busy > 0) return;
    this.admitted.channel.end("ended", "The last visitor has left.");
  }
}
