/**
 * One control connection to one relay, with the pool that belongs to it: from the dial to the last visitor. It
 * proves this node's key, and takes nobody for the relay who does not prove the relay's.
 */
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { ed25519KeyOfSpki } from "../../shared/certificate/self-signed.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { ControlChannel, type ChannelEnd } from "../../shared/nodejs/control-channel.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { lookupWithLoopback } from "../../shared/nodejs/loopback-lookup.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import { nodeIdOfKey } from "../../shared/registry/node-id.ts";
import { tunnelAlpn, type ControlFrame, type Goaway } from "../../shared/tunnel/control.ts";
import { Pool, type Visitor } from "./pool.ts";

const connectMs = 5_000;
/** A relay may have to ask the edge before it welcomes a node. */
const welcomeMs = 10_000;

export interface SessionOptions {
  relay: RelayEndpoint;
  identity: Identity;
  epoch: number;
  version: string;
  onVisitor: (visitor: Visitor) => void;
  /** The relay has admitted this node. */
  onUp: () => void;
  clock: Clock;
  log: Log;
}

/** Why no new visitor comes over a session any more. */
export interface SessionEnd {
  readonly reason: Goaway["reason"] | "unreachable" | "lost";
  readonly detail: string;
}

export class Session {
  readonly epoch: number;
  /** Resolves when no new visitor can come; those here may go on. */
  readonly over: Promise<SessionEnd>;
  /** Resolves when the connection is closed and the last visitor has left. */
  readonly closed: Promise<void>;
  readonly #options: SessionOptions;
  readonly #pool: Pool;
  readonly #socket: TLSSocket;
  #channel: ControlChannel | undefined;
  #welcomed = false;
  #deadline: NodeJS.Timeout;
  #end: (end: SessionEnd) => void = () => {};
  #close: () => void = () => {};

  constructor(options: SessionOptions) {
    const { relay, identity, epoch } = options;
    this.#options = options;
    this.epoch = epoch;
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.closed = new Promise((resolve) => (this.#close = resolve));
    this.#pool = new Pool(options);
    this.#socket = connect({
      host: relay.host,
      port: relay.port,
      lookup: lookupWithLoopback,
      servername: relay.name,
      ALPNProtocols: [tunnelAlpn],
      minVersion: "TLSv1.3",
      cert: identity.certificate,
      key: identity.privateKeyPem,
      rejectUnauthorized: false, // self-signed; its key is compared below
    });
    this.#deadline = setTimeout(() => this.#fail(`The relay did not answer within ${connectMs} ms.`), connectMs);
    this.#socket.setNoDelay(true);
    this.#socket.once("secureConnect", () => this.#greet());
    this.#socket.on("error", (error) => this.#fail(errorText(error)));
    this.#socket.on("close", () => this.#fail("The relay closed the connection."));
  }

  get visitors(): number {
    return this.#pool.visitors;
  }

  /** Tells the relay that no new visitor should come; resolves when the last one has left, at the latest after `ms`. */
  async drain(ms: number): Promise<void> {
    this.#channel?.send({ type: "goaway", reason: "stopping", detail: "The node stops." });
    const { clock } = this.#options;
    const waiting = new AbortController();
    if (this.#channel && !this.#channel.ended)
      await Promise.race([this.#pool.emptied(), clock.sleep(ms, waiting.signal).catch(() => {})]);
    waiting.abort();
    this.destroy();
  }

  /** Ends everything at once; visitors see a reset. */
  destroy(): void {
    this.#pool.destroy();
    this.#channel?.end("ended", "Closed by this node.");
    this.#fail("Closed by this node.");
  }

  #greet(): void {
    const { relay, epoch, version, clock } = this.#options;
    const problem = problemOfPeer(this.#socket, relay);
    if (problem) return this.#fail(problem);
    this.#wait(welcomeMs, `The relay did not welcome this node within ${welcomeMs} ms.`);
    this.#channel = new ControlChannel({
      socket: this.#socket,
      clock,
      onFrame: (frame) => this.#take(frame),
      onEnd: (end, detail) => this.#channelEnded(end, detail),
    });
    this.#channel.send({ type: "hello", epoch, version });
  }

  #take(frame: ControlFrame): void {
    switch (frame.type) {
      case "welcome":
        if (this.#welcomed) return;
        this.#welcomed = true;
        clearTimeout(this.#deadline);
        this.#channel?.startPings(frame.pingMs);
        return this.#options.onUp();
      case "dial":
        if (this.#welcomed) this.#pool.dial(addressOf(this.#socket), frame.passes);
        return;
      case "goaway":
        return this.#end({ reason: frame.reason, detail: frame.detail });
      case "hello":
      case "ping":
      case "pong":
        throw new AppError("bad-request", `Unexpected control frame ${frame.type}.`);
    }
  }

  #channelEnded(end: ChannelEnd, detail: string): void {
    // A relay that is frozen or cut off holds its visitors for ever; one that only lost the control connection does not.
    if (end === "silent") this.#pool.destroy();
    else this.#pool.closeIdle();
    this.#fail(detail);
  }

  #fail(detail: string): void {
    clearTimeout(this.#deadline);
    this.#end({ reason: this.#welcomed ? "lost" : "unreachable", detail });
    if (!this.#channel) this.#socket.destroy();
    else this.#channel.end("error", detail);
    void this.#pool.emptied().then(this.#close);
  }

  #wait(ms: number, detail: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#fail(detail), ms);
  }
}

/** Why the peer is not the relay, or undefined when it is. */
function problemOfPeer(socket: TLSSocket, relay: RelayEndpoint): string | undefined {
  if (socket.alpnProtocol !== tunnelAlpn) return "This port does not speak the tunnel protocol.";
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  const raw = key && ed25519KeyOfSpki(key);
  try {
    if (raw && nodeIdOfKey(raw) === relay.relay) return undefined;
  } catch {} // a key of small order is nobody's
  return "The relay proved another key than the edge has named.";
}

function addressOf(socket: Socket): { host: string; port: number } {
  return { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
}
