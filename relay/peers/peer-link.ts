/**
 * This relay's end of the way to another one: connections that visitors are forwarded over, some of them held ready
 * while visitors come, and one more by which to know whether the other relay lives.
 */
import type { SecureContext, TLSSocket } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import { ControlChannel, type ChannelEnd } from "../../shared/nodejs/control-channel.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import { Rate } from "../../shared/rate.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { Attempt } from "../tunnel/pairings.ts";
import { decidePoolSize, decideRefill } from "../tunnel/pool-size.ts";
import type { Pairing, PendingVisitor } from "../tunnel/tunnel.ts";
import { WaitingRoom } from "../tunnel/waiting-room.ts";
import { createPeerDial, type PeerDial } from "./peer-dial.ts";
import { warmMs } from "./protocol.ts";
import { reset } from "../../shared/nodejs/reset.ts";

const connectMs = 2_500;
const upkeepMs = 1_000;
/** Connections held ready: at least, and at most. */
const warmFloor = 2;
const warmCap = 128;
const maxDialsPerSecond = 2_000;
/** A relay that answers pings, and sends its own, has no more to say. */
const maxFramesPerSecond = 1_000;

export interface PeerLinkOptions {
  peer: FleetRelay;
  /** That of `createPoolContext` with this relay's identity. */
  secureContext: SecureContext;
  pingMs: number;
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  clock: Clock;
  /** It takes no visitor any more: it had none for a while (`quiet`), or the other relay is gone, with the reason. */
  onEnd: (end: "quiet" | "lost", detail: string) => void;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #dial: PeerDial;
  readonly #room: WaitingRoom;
  readonly #dialling: Deadlines<TLSSocket>;
  readonly #arrivals: Rate;
  readonly #dials: Rate;
  readonly #upkeep: NodeJS.Timeout;
  readonly #control: Promise<ControlChannel | undefined>;
  #roundTripMs: () => number | undefined = () => undefined;
  #busyAt: number;
  #ended = false;

  constructor(options: PeerLinkOptions) {
    const { peer, secureContext, clock } = options;
    this.#options = options;
    this.#dial = createPeerDial(peer, secureContext);
    this.#arrivals = new Rate({ clock });
    this.#dials = new Rate({ clock });
    this.#busyAt = clock.now();
    this.#dialling = new Deadlines({ ms: connectMs, clock, onExpired: (socket) => reset(socket) });
    this.#room = new WaitingRoom({
      ...options,
      maxAttempts: 1, // the next relay may do better
      onAssigned: (attempt, found) => this.#assigned(attempt, found),
      onLess: () => (this.#busyAt = clock.now()),
    });
    this.#upkeep = setInterval(() => this.#keepUp(), upkeepMs).unref();
    this.#control = this.#openControl();
  }

  /** Gives a visitor to the other relay. Never rejects. */
  pair(visitor: PendingVisitor): Promise<Pairing> {
    if (this.#ended) return Promise.resolve({ kind: "failed", reason: "closed" });
    this.#arrivals.count();
    this.#busyAt = this.#options.clock.now();
    return this.#room.pairings.begin(visitor);
  }

  /** Whether the other relay lives at some time after this call: an end of its bytes is then what it meant to send. */
  async proveAlive(): Promise<boolean> {
    const control = await this.#control;
    return (await control?.proveAlive()) ?? false;
  }

  /** Ends everything at once; visitors see a reset. */
  destroy(): void {
    this.#end("quiet", "Closed by this relay.");
    this.#room.pairings.destroy();
  }

  #assigned(attempt: Attempt, found: boolean): void {
    this.#refill();
    if (!found && this.#dialling.size === 0) this.#room.pairings.fail(attempt, "busy"); // the rate allows no more
  }

  /** Only when visitors come: a relay that cuts what waits is not dialled for ever. */
  #refill(): void {
    const { idle, waiting } = this.#room;
    const size = decidePoolSize({
      arrivalsPerSecond: this.#arrivals.perSecond,
      roundTripMs: this.#roundTripMs() ?? 0,
      floor: warmFloor,
      cap: warmCap,
    });
    const count = decideRefill({
      parts: [{ size, idle, waiting }],
      cap: warmCap + waiting,
      promised: this.#dialling.size,
      allowance: maxDialsPerSecond - this.#dials.thisSecond,
    });
    this.#dials.count(count);
    for (let left = count; left > 0; left--)
      this.#open(
        (socket) => this.#room.adopt(socket),
        () => this.#room.failOne(),
      );
  }

  #openControl(): Promise<ControlChannel | undefined> {
    const { clock, pingMs } = this.#options;
    return new Promise((resolve) =>
      this.#open(
        (socket) => {
          const channel: ControlChannel = new ControlChannel({
            socket,
            clock,
            maxFramesPerSecond,
            onFrame: ({ type }) => channel.end("refused", `Unexpected ${type}.`),
            onEnd: (end, detail) => this.#lost(end, detail),
          });
          this.#roundTripMs = () => channel.roundTripMs;
          channel.startPings(pingMs);
          void channel.proveAlive(); // the first bytes tell the other relay what this is
          if (this.#ended) channel.end("ended", "Closed by this relay.");
          resolve(channel);
        },
        (detail) => {
          resolve(undefined);
          this.#lost("error", detail);
        },
      ),
    );
  }

  #open(onOpen: (socket: TLSSocket) => void, onFailed: (detail: string) => void): void {
    let problem = `No connection within ${connectMs} ms, or it was refused.`;
    const onClose = (): void => {
      this.#dialling.stop(socket);
      onFailed(problem);
    };
    const socket = this.#dial((found) => {
      if (found !== undefined) {
        problem = found;
        return reset(socket);
      }
      this.#dialling.stop(socket);
      socket.off("close", onClose);
      onOpen(socket);
    });
    socket.once("close", onClose);
    this.#dialling.start(socket);
  }

  #keepUp(): void {
    const now = this.#options.clock.now();
    this.#room.closeIdle(now - warmMs);
    if (this.#room.pairings.busy + this.#room.waiting > 0) this.#busyAt = now;
    if (now - this.#busyAt >= warmMs) this.#end("quiet", "No visitor for a while.");
  }

  #lost(end: ChannelEnd, detail: string): void {
    this.#end("lost", detail);
    // A frozen relay holds its visitors for ever; one that only lost this connection may still serve them.
    if (end === "silent") this.#room.pairings.destroy();
  }

  #end(end: "quiet" | "lost", detail: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#upkeep);
    this.#room.close();
    this.#options.onEnd(end, detail);
    void this.#control.then((control) => control?.end("ended", "Closed by this relay."));
  }
}
