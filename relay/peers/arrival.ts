import type { TLSSocket } from "node:tls";
import { parseProxyHeader, type ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import { FirstBytes } from "../door/first-bytes.ts";
import { framesByte, visitorByte } from "./protocol.ts";

/** A visitor that another relay forwards, with everything it has sent so far. */
export interface ForwardedVisitor {
  readonly addresses: ProxyAddresses;
  readonly serverName: string | undefined;
  readonly firstBytes: Buffer;
}

export interface ArrivalEvents {
  /** The first byte has come; what was begun should soon be whole. */
  onBegun: (arrival: Arrival) => void;
  /** The socket is the caller's, without any listener of this class. */
  onVisitor: (arrival: Arrival, visitor: ForwardedVisitor) => void;
  /** Frames are next in the socket, which is the caller's. */
  onFrames: (arrival: Arrival) => void;
  /** It closed, or said what is none of the two. */
  onBroken: (arrival: Arrival, reason: string) => void;
}

/** A connection of another relay that has proved its key, until it has said what it is for. */
export class Arrival {
  readonly socket: TLSSocket;
  readonly #events: ArrivalEvents;
  #held: Buffer = Buffer.alloc(0);
  #hello: FirstBytes | undefined;

  constructor(socket: TLSSocket, events: ArrivalEvents) {
    this.socket = socket;
    this.#events = events;
    socket.on("readable", this.#onReadable);
    socket.on("end", this.#onLeft);
    socket.on("close", this.#onLeft);
  }

  /** No event comes from now on. */
  stop(): void {
    this.#release();
    this.#hello?.stop();
  }

  readonly #onReadable = (): void => {
    const chunk = this.socket.read() as Buffer | null;
    if (!chunk) return;
    if (this.#held.length === 0) this.#events.onBegun(this);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#held[0] === framesByte) {
      this.#putBack(this.#held);
      return this.#events.onFrames(this);
    }
    if (this.#held[0] !== visitorByte) return this.#break("unknown-purpose");
    const header = parseProxyHeader(this.#held);
    if (header.kind === "incomplete") return;
    if (header.kind === "refused") return this.#break("bad-header");
    this.#putBack(this.#held.subarray(header.length));
    this.#readHello(header.addresses);
  };

  #readHello(addresses: ProxyAddresses): void {
    this.#hello = new FirstBytes(this.socket, (_, answer) => {
      if (answer.kind !== "hello") return this.#break(answer.kind === "refused" ? answer.reason : "no-hello");
      const { serverName, bytes: firstBytes } = answer;
      this.#events.onVisitor(this, { addresses, serverName, firstBytes });
    });
  }

  readonly #onLeft = (): void => this.#break("left-before-header");

  #break(reason: string): void {
    this.stop();
    this.#events.onBroken(this, reason);
  }

  /** Lets go of the socket, with these bytes next in it. */
  #putBack(bytes: Buffer): void {
    this.#release();
    if (bytes.length > 0) this.socket.unshift(bytes);
  }

  #release(): void {
    this.socket.off("readable", this.#onReadable);
    this.socket.off("end", this.#onLeft);
    this.socket.off("close", this.#onLeft);
  }
}
