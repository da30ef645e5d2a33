/** The node's end of one tunnel: a session with one relay, and the next one when it is lost, for ever. */
import { decideReconnectMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import type { Visitor } from "./pool.ts";
import { Session } from "./session.ts";

export type { Visitor } from "./pool.ts";

/** A session that lasted this long was a good one: what follows it is a new trouble. */
const steadyMs = 5_000;
/** A relay that says it stops and does not is dialled again after this time. */
const maxDrainingMs = 15 * 60_000;

/** `draining`: the relay stops, and serves until then; `superseded` is final: a newer registration of this key exists. */
export type TunnelState = "connecting" | "up" | "draining" | "superseded" | "closed";

export interface TunnelOptions {
  relay: RelayEndpoint;
  identity: Identity;
  epoch: number;
  version: string;
  onVisitor: (visitor: Visitor) => void;
  onState?: (state: TunnelState) => void;
  clock: Clock;
  log: Log;
  random?: () => number;
}

export interface Tunnel extends AsyncDisposable {
  readonly relay: RelayEndpoint;
  readonly state: TunnelState;
  /** Visitors that are here now. */
  readonly visitors: number;
  /** The node was registered anew: opens a session under this epoch; the relay ends the one before. */
  setEpoch(epoch: number): void;
  /** Serves on for `serveMs` or until the relay ends it, connects no more, then drains for `finishMs`. */
  leave(ms: { serveMs: number; finishMs: number }): Promise<void>;
  /** Takes no new visitors, lets the present ones finish for `ms`, and closes. */
  drain(ms: number): Promise<void>;
}

export function startTunnel(options: TunnelOptions): Tunnel {
  return new RunningTunnel(options);
}

class RunningTunnel implements Tunnel {
  readonly #options: TunnelOptions;
  readonly #stop = new AbortController();
  /** The newest, and those before it that still have visitors. */
  readonly #sessions = new Set<Session>();
  readonly #done: Promise<void>;
  #epoch: number;
  #newEpoch = new AbortController();
  #state: TunnelState = "connecting";

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#done = this.#run();
  }

  get relay(): RelayEndpoint {
    return this.#options.relay;
  }

  get state(): TunnelState {
    return this.#state;
  }

  get visitors(): number {
    let visitors = 0;
    for (const session of this.#sessions) visitors += session.visitors;
    return visitors;
  }

  setEpoch(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#newEpoch.abort();
    this.#newEpoch = new AbortController();
  }

  async leave({ serveMs, finishMs }: { serveMs: number; finishMs: number }): Promise<void> {
    this.#stop.abort();
    const waiting = new AbortController();
    const closed = Promise.all([...this.#sessions].map((session) => session.closed));
    await Promise.race([closed, this.#options.clock.sleep(serveMs, waiting.signal).catch(() => {})]);
    waiting.abort();
    await this.drain(finishMs);
  }

  async drain(ms: number): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#sessions].map((session) => session.drain(ms)));
    await this.#done;
    this.#become("closed");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0);
  }

  async #run(): Promise<void> {
    const { clock, log, relay, random = Math.random } = this.#options;
    let attempt = 0;
    let lostAt = clock.now();
    while (!this.#stop.signal.aborted) {
      const openedAt = clock.now();
      const wake = AbortSignal.any([this.#stop.signal, this.#newEpoch.signal]);
      const session = this.#open(this.#epoch);
      const end = await Promise.race([session.over, aborted(wake)]);
      if (!end || wake.aborted) continue;

      const { reason, detail } = end;
      if (this.#state === "up") {
        lostAt = clock.now();
        if (lostAt - openedAt >= steadyMs) attempt = 0;
      }
      if (reason === "draining") {
        log.info("tunnel.draining", { relay: relay.relay, detail });
        this.#become("draining");
        await Promise.race([session.closed, clock.sleep(maxDrainingMs, wake).catch(() => {})]);
      } else if (attempt === 0 || reason === "superseded")
        log.warn("tunnel.lost", { relay: relay.relay, reason, detail });
      if (reason === "superseded") return this.#become("superseded");
      this.#become("connecting");
      await clock.sleep(decideReconnectMs(attempt++, clock.now() - lostAt, random), wake).catch(() => {});
    }
  }

  #open(epoch: number): Session {
    const { relay, log } = this.#options;
    const onUp = (): void => {
      log.info("tunnel.opened", { relay: relay.relay, host: relay.host, port: relay.port, epoch });
      if (epoch === this.#epoch) this.#become("up");
    };
    const session = new Session({ ...this.#options, epoch, onUp });
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  #become(state: TunnelState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
