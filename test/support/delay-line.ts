/**
 * A long way to a port, in user space: bytes arrive later, at no more than the line's rate, and a share of segments
 * only after a retransmission.
 *
 * What it cannot show: both ends have a kernel of their own at their side of the line, so neither slow start nor the
 * windows of TCP are limited by the distance, nothing is ever lost or reordered for them, and "connect" comes at once.
 * The round trip that a handshake takes is charged to the first bytes instead.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { reset } from "../../shared/nodejs/reset.ts";

const segmentBytes = 1_448;
const minRetransmitMs = 200; // Linux: TCP_RTO_MIN
const queueMs = 50; // of the router before the line
const unlimitedBytes = 4 * 1024 * 1024;

export interface DelayLineOptions {
  /** There and back. */
  roundTripMs: number;
  /** Each way, for all connections together; no limit unless given. */
  bytesPerSecond?: number;
  /** Of segments, from 0 to 1: how many need a second try. */
  loss?: number;
  random?: () => number;
}

export interface DelayLine extends Disposable {
  readonly port: number;
  /** Bytes that are on their way now. */
  readonly inFlight: number;
}

export async function startDelayLine(target: number, options: DelayLineOptions): Promise<DelayLine> {
  const sockets = new Set<Socket>();
  const lanes = new Set<Lane>();
  const ways = [new Way(options), new Way(options)] as const;
  const keep = (socket: Socket): void => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (near) => {
    const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const openAt = performance.now() + options.roundTripMs;
    keep(near);
    keep(far);
    for (const lane of [new Lane(near, far, ways[0], openAt), new Lane(far, near, ways[1], openAt)]) {
      lanes.add(lane);
      lane.onDone = () => lanes.delete(lane);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get inFlight() {
      return [...lanes].reduce((sum, { bytes }) => sum + bytes, 0);
    },
    [Symbol.dispose]() {
      server.close();
      for (const lane of lanes) lane.stop();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One direction of the line, which its connections share. */
class Way {
  readonly #options: DelayLineOptions;
  /** When the last byte that was given to it will have left. */
  #freeAt = 0;

  constructor(options: DelayLineOptions) {
    this.#options = options;
  }

  /** What one connection may have on the way: what the line holds and its queue. */
  get maxBytes(): number {
    const { roundTripMs, bytesPerSecond } = this.#options;
    return bytesPerSecond === undefined ? unlimitedBytes : (bytesPerSecond * (roundTripMs / 2 + queueMs)) / 1000;
  }

  /** When bytes that are sent now, or at `openAt` if that is later, arrive. */
  send(bytes: number, openAt: number): number {
    const { roundTripMs, bytesPerSecond = Infinity, loss = 0, random = Math.random } = this.#options;
    this.#freeAt = Math.max(this.#freeAt, performance.now(), openAt) + (1000 * bytes) / bytesPerSecond;
    const isWhole = random() < (1 - loss) ** Math.ceil(bytes / segmentBytes);
    return this.#freeAt + roundTripMs / 2 + (isWhole ? 0 : Math.max(minRetransmitMs, 2 * roundTripMs));
  }
}

/** One direction of one connection: what was read from one socket and not written to the other yet, in order. */
class Lane {
  bytes = 0;
  onDone: () => void = () => {};
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #way: Way;
  readonly #queue: { at: number; deliver: () => boolean }[] = [];
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;

  constructor(from: Socket, to: Socket, way: Way, openAt: number) {
    this.#from = from;
    this.#to = to;
    this.#way = way;
    from.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.bytes >= way.maxBytes) from.pause();
      this.#add(way.send(chunk.length, openAt), () => this.#deliver(chunk));
    });
    from.on("end", () => this.#add(way.send(0, openAt), () => (to.end(), true)));
    from.on("close", () => {
      // Without an end of its own it is a reset, which takes its time as well.
      if (!from.readableEnded) this.#add(way.send(0, openAt), () => (reset(to), true));
    });
    to.on("close", () => this.stop());
    from.resume();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.bytes = 0;
    this.onDone();
  }

  #add(at: number, deliver: () => boolean): void {
    this.#lastAt = Math.max(this.#lastAt, at);
    this.#queue.push({ at: this.#lastAt, deliver });
    if (this.#queue.length === 1) this.#wait();
  }

  #wait(): void {
    const [next] = this.#queue;
    if (next && !this.#isBlocked)
      this.#timer = setTimeout(() => this.#arrive(), Math.max(1, next.at - performance.now()));
  }

  #arrive(): void {
    const now = performance.now();
    while (!this.#isBlocked && this.#queue[0] && this.#queue[0].at <= now + 1) {
      if (this.#queue.shift()?.deliver()) continue;
      this.#isBlocked = true;
      this.#to.once("drain", () => {
        this.#isBlocked = false;
        this.#wait();
      });
    }
    this.#wait();
  }

  #deliver(chunk: Buffer): boolean {
    this.bytes -= chunk.length;
    if (this.bytes < this.#way.maxBytes) this.#from.resume();
    return this.#to.write(chunk);
  }
}
