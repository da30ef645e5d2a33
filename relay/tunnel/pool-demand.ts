/** Asks a node for as many pool connections as the parts of its tunnel want, and has them close what is too much. */
import type { Clock } from "../../shared/clock.ts";
import type { ControlChannel } from "../../shared/nodejs/control-channel.ts";
import { Rate } from "../../shared/rate.ts";
import { maxFrameBytes, passBytes } from "../../shared/tunnel/control.ts";
import type { Passes } from "./passes.ts";
import { decidePoolSize, decideRefill, decideTrim, isWorthAFrame } from "./pool-size.ts";
import type { TunnelPart } from "./tunnel-part.ts";

/** New connections asked of one node, however many visitors come and go. */
const maxPassesPerSecond = 4_000;
const maxPassesPerFrame = Math.floor((maxFrameBytes - 1) / passBytes);
const upkeepMs = 250;

export interface PoolDemandOptions {
  channel: ControlChannel;
  passes: Passes;
  parts: ReadonlySet<TunnelPart>;
  /** For each part. */
  floor: number;
  /** For all parts together. */
  cap: number;
  clock: Clock;
}

export class PoolDemand {
  readonly #options: PoolDemandOptions;
  readonly #issued: Rate;
  readonly #upkeep: NodeJS.Timeout;
  #refilling = false;
  #stopped = false;

  constructor(options: PoolDemandOptions) {
    this.#options = options;
    this.#issued = new Rate(options);
    this.#upkeep = setInterval(() => this.#keepUp(), upkeepMs).unref();
    this.refillSoon();
  }

  /** Asks for connections at the end of this turn, once for all visitors that came in it, if enough of them lack. */
  refillSoon(): void {
    if (this.#refilling || this.#stopped) return;
    this.#refilling = true;
    setImmediate(() => {
      this.#refilling = false;
      this.#refill(isWorthAFrame);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#upkeep);
    this.#options.passes.voidAll();
  }

  #refill(isWorthIt: typeof isWorthAFrame = () => true): void {
    if (this.#stopped) return;
    const { parts, cap, channel, passes } = this.#options;
    const allowance = maxPassesPerSecond - this.#issued.thisSecond;
    const stock = [...parts].map(({ state: { idle, waiting, arrivalsPerSecond } }) => {
      return { size: this.#size(arrivalsPerSecond), idle, waiting };
    });
    let count = decideRefill({ parts: stock, cap, promised: passes.out, allowance });
    if (!isWorthIt(count, stock)) return;
    for (; count > 0; count -= maxPassesPerFrame) {
      const issued = passes.issue(Math.min(count, maxPassesPerFrame));
      if (issued.length === 0) return; // the table is full, for a moment
      this.#issued.count(issued.length);
      channel.send({ type: "dial", passes: issued });
    }
  }

  #keepUp(): void {
    const { parts, channel, passes } = this.#options;
    const missed = passes.expire();
    if (missed > 0) channel.send({ type: "missed", passes: missed });
    this.#refill(); // what the rate limit has put off, or was not worth a frame
    for (const part of parts) {
      const { idle, arrivalsPerSecond } = part.state;
      const excess = decideTrim({ size: this.#size(arrivalsPerSecond), idle });
      if (excess > 0) part.trim(excess);
    }
  }

  #size(arrivalsPerSecond: number): number {
    const { floor, cap, channel } = this.#options;
    return decidePoolSize({ arrivalsPerSecond, roundTripMs: channel.roundTripMs ?? 0, floor, cap });
  }
}
