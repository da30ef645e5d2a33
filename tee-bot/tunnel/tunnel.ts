/** The node's end of one tunnel: a session with one relay, and the next one when it is lost, for ever. */
import { decideReconnectMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import { findBetterTransport } from "./better-transport.ts";
import type { Visitor } from "./pool.ts";
import { Session, type SessionEnd } from "./session.ts";
import { decideAfterUnreachable, nextTransport, type Transport, type TransportSetting } from "./transport.ts";

export type { Visitor } from "./pool.ts";

/** A session that lasted this long was a good one: what follows it is a new trouble. */
const steadyMs = 5_000;
/** A relay that says it stops and does not is dialled again after this time. */
const maxDrainingMs = 15 * 60_000;

/** `draining`: the relay stops, and serves until then; `superseded` is final: a newer registration of this key exists. */
export type TunnelState = "connecting" | "up" | "draining" | "superseded" | "closed";

export interface TunnelOptions {
  relay: RelayEndpoint;
  /** `auto` unless told otherwise. */
  transport?: TransportSetting;
  identity: Identity;
  epoch: number;
  version: string;
  onVisitor: (visitor: Visitor) => void;
  onState?: (state: TunnelState) => void;
  /** Another transport is in use, or the reason for it has changed. */
  onTransport?: () => void;
  clock: Clock;
  log: Log;
  random?: () => number;
}

export interface Tunnel extends AsyncDisposable {
  readonly relay: RelayEndpoint;
  readonly state: TunnelState;
  /** Since when it is not up, though it should be (by the clock). */
  readonly downSince: number | undefined;
  /** How visitors come, or are tried to be let come. */
  readonly transport: Transport;
  /** Why a better transport is not in use; undefined when none is missed. */
  readonly fallback: string | undefined;
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
  #downSince: number | undefined;
  #transport: Transport;
  #fallback: string | undefined;

  constructor(options: TunnelOptions) {
    this.#options = options;
    const { transport = "auto" } = options;
    this.#transport = transport === "auto" ? "pool" : transport;
    this.#epoch = options.epoch;
    this.#downSince = options.clock.now();
    this.#done = this.#run();
  }

  get relay(): RelayEndpoint {
    return this.#options.relay;
  }

  get state(): TunnelState {
    return this.#state;
  }

  get downSince(): number | undefined {
    return this.#downSince;
  }

  get transport(): Transport {
    return this.#transport;
  }

  get fallback(): string | undefined {
    return this.#fallback;
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
    let unreachable = 0;
    let lostAt = clock.now();
    while (!this.#stop.signal.aborted) {
      const openedAt = clock.now();
      const wake = AbortSignal.any([this.#stop.signal, this.#newEpoch.signal]);
      const served = await this.#serve(wake);
      if (!served || wake.aborted) continue;

      const { session, end } = served;
      const { reason, detail } = end;
      unreachable = reason === "unreachable" ? unreachable + 1 : 0;
      if (this.#fallback) this.#use(decideAfterUnreachable(this.#transport, unreachable), this.#fallback);
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

  /** Serves until a session ends by itself, over whichever transport gets through; that session and its end. */
  async #serve(wake: AbortSignal): Promise<{ session: Session; end: SessionEnd } | undefined> {
    const { clock, log, random = Math.random, relay } = this.#options;
    const open = (transport: Transport): Session => this.#open(this.#epoch, transport);
    let session = open(this.#transport);
    while (!wake.aborted) {
      const turn = new AbortController();
      const signal = AbortSignal.any([wake, turn.signal]);
      const search = { current: this.#transport, open, clock, log, random };
      const event = await Promise.race([
        session.over.then((end) => ({ end })),
        aborted(wake),
        ...(this.#isFree ? [session.unfit.then((unfit) => ({ unfit }))] : []),
        ...(this.#fallback ? [findBetterTransport(search, signal).then((better) => better && { better })] : []),
      ]);
      turn.abort();
      if (!event) return undefined;
      if ("end" in event) return { session, end: event.end };
      session.giveWay();
      if ("better" in event) {
        session = event.better.session;
        log.info("transport.recovered", { relay: relay.relay, from: this.#transport, to: event.better.transport });
        this.#use(event.better.transport, this.#fallback);
      } else {
        const next = nextTransport(this.#transport) ?? this.#transport;
        log.warn("transport.fell-back", { relay: relay.relay, from: this.#transport, to: next, reason: event.unfit });
        this.#use(next, event.unfit);
        session = open(next);
      }
    }
    return undefined;
  }

  /** Whether there is something to fall back to. */
  get #isFree(): boolean {
    const { transport = "auto" } = this.#options;
    return transport === "auto" && nextTransport(this.#transport) !== undefined;
  }

  #use(transport: Transport, fallback: string | undefined): void {
    this.#transport = transport;
    this.#fallback = transport === "pool" ? undefined : fallback;
    this.#options.onTransport?.();
  }

  #open(epoch: number, transport: Transport): Session {
    const { relay, log } = this.#options;
    const onUp = (): void => {
      log.info("tunnel.opened", { relay: relay.relay, host: relay.host, port: relay.port, epoch, transport });
      if (epoch === this.#epoch) this.#become("up");
    };
    const session = new Session({ ...this.#options, transport, epoch, onUp });
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  #become(state: TunnelState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#downSince = state === "connecting" ? this.#options.clock.now() : undefined;
    this.#options.onState?.(state);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
