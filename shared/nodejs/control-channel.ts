/**
 * Frames over the control connection of a tunnel, the same at both ends, and the proof that the other end lives:
 * pings from both sides. Before silence has lasted for two intervals the channel ends, since a socket whose peer is frozen or whose
 * path is cut stays open for hours.
 */
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import { errorText } from "../errors.ts";
import { Rate } from "../rate.ts";
import { encodeFrame, FrameReader, type ControlFrame } from "../tunnel/control.ts";

/** Why a channel ended. `silent`: no answer to pings; `refused`: bytes that are no frame, or a peer that does not read. */
export type ChannelEnd = "ended" | "error" | "silent" | "refused";

export interface ControlChannelOptions {
  socket: Duplex;
  clock: Clock;
  /** Every frame but ping and pong. */
  onFrame: (frame: Exclude<ControlFrame, { type: "ping" | "pong" }>) => void;
  /** Called once, after which nothing more is received. */
  onEnd: (end: ChannelEnd, detail: string) => void;
  /**
   * Bytes that have come over the connection in all, where the channel is one of several streams in it: its pongs may
   * wait behind those of visitors, whose arrival proves as much.
   */
  bytesHeard?: () => number;
  /** How much the other end may say; no limit for who is trusted with it. */
  maxFramesPerSecond?: number;
}

const missedPings = 2;
/** How often to look whether something was heard: what is dead is found by the last look within the two intervals. */
const looksPerPing = 4;
const lingerMs = 1_000; // for the last frame to arrive
const maxUnsentBytes = 256 * 1024;
/** Proofs of life that are asked for within this time share one ping. */
const proofSpacingMs = 5;

export class ControlChannel {
  readonly #options: ControlChannelOptions;
  readonly #reader = new FrameReader();
  readonly #frames: Rate;
  readonly #pings = new Map<number, { sentAt: number; proofs: ((alive: boolean) => void)[] }>();
  #proofs: ((alive: boolean) => void)[] = [];
  #proofTimer: NodeJS.Timeout | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #sequence = 0;
  #heardAt: number;
  #pingedAt = 0;
  #roundTripMs: number | undefined;
  #ended = false;

  constructor(options: ControlChannelOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#frames = new Rate(options);
    const { socket } = options;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.end("error", errorText(error)));
    socket.on("end", () => this.end("ended", "The other end closed the connection."));
    socket.on("close", () => this.end("ended", "The connection closed."));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Smoothed, in milliseconds; undefined before the first pong. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  send(frame: ControlFrame): void {
    const { socket } = this.#options;
    if (this.#ended || !socket.writable) return;
    socket.write(encodeFrame(frame));
    if (socket.writableLength > maxUnsentBytes) this.end("refused", "The other end does not read.");
  }

  /** Sends a last frame and closes; the end is told to `onEnd` as any other. */
  close(frame: ControlFrame): void {
    this.send(frame);
    this.end("ended", "Closed by this end.");
  }

  startPings(pingMs: number): void {
    const { clock, bytesHeard } = this.#options;
    const tickMs = pingMs / looksPerPing;
    let tickedAt = clock.now();
    let heardThen = bytesHeard?.() ?? 0;
    clearInterval(this.#ticker);
    this.#ticker = setInterval(() => {
      const now = clock.now();
      // A process that itself stood still must read what has come in meanwhile before it judges.
      const stoodStill = now - tickedAt > 2 * tickMs;
      tickedAt = now;
      const heard = bytesHeard?.() ?? 0;
      if (heard > heardThen) this.#heardAt = now;
      heardThen = heard;
      if (!stoodStill && now - this.#heardAt >= missedPings * pingMs - tickMs)
        return this.end("silent", `Nothing was heard for ${now - this.#heardAt} ms.`);
      if (now - this.#pingedAt >= pingMs - tickMs / 2) this.#ping();
    }, tickMs);
  }

  /** Whether the other end's process lives at some time after this call; false once the channel has ended. */
  proveAlive(): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#proofs.push(resolve);
      const dueInMs = this.#pingedAt + proofSpacingMs - this.#options.clock.now();
      if (dueInMs <= 0) this.#ping();
      else this.#proofTimer ??= setTimeout(() => this.#ping(), dueInMs);
    });
  }

  end(end: ChannelEnd, detail: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#proofTimer);
    const { socket, onEnd } = this.#options;
    if (end === "ended") {
      socket.end();
      setTimeout(() => socket.destroy(), lingerMs).unref();
    } else socket.destroy();
    for (const { proofs } of this.#pings.values()) for (const answer of proofs) answer(false);
    for (const answer of this.#proofs) answer(false);
    this.#pings.clear();
    onEnd(end, detail);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#heardAt = this.#options.clock.now();
    try {
      for (const frame of this.#reader.push(chunk)) this.#take(frame);
    } catch (error) {
      this.end("refused", errorText(error));
    }
  }

  #take(frame: ControlFrame): void {
    if (this.#ended) return;
    this.#frames.count();
    if (this.#frames.thisSecond > (this.#options.maxFramesPerSecond ?? Infinity))
      return this.end("refused", "The other end sends too many frames.");
    if (frame.type === "ping") this.send({ type: "pong", data: frame.data });
    else if (frame.type === "pong") this.#takePong(frame.data);
    else this.#options.onFrame(frame);
  }

  #ping(): void {
    clearTimeout(this.#proofTimer);
    this.#proofTimer = undefined;
    const data = new Uint8Array(8);
    new DataView(data.buffer).setFloat64(0, ++this.#sequence);
    this.#pingedAt = this.#options.clock.now();
    this.#pings.set(this.#sequence, { sentAt: performance.now(), proofs: this.#proofs });
    this.#proofs = [];
    this.send({ type: "ping", data });
  }

  #takePong(data: Uint8Array): void {
    const sequence = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    const ping = this.#pings.get(sequence);
    if (!ping) return;
    this.#pings.delete(sequence);
    const sampleMs = performance.now() - ping.sentAt;
    this.#roundTripMs = this.#roundTripMs === undefined ? sampleMs : 0.8 * this.#roundTripMs + 0.2 * sampleMs;
    for (const answer of ping.proofs) answer(true);
  }
}
