/**
 * The door for nodes: TLS 1.3 in which both sides prove their Ed25519 keys, then hello, admission and welcome. Who
 * comes in gets a tunnel, for as long as it answers pings and its epoch is the newest.
 */
import type { Socket } from "node:net";
import { constants } from "node:crypto";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { ControlChannel, type ChannelEnd } from "../../shared/nodejs/control-channel.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { provedIdOf } from "../../shared/nodejs/proved-id.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { tunnelAlpn, type ControlFrame } from "../../shared/tunnel/control.ts";
import { http2TunnelAlpn } from "../../shared/tunnel/http2.ts";
import type { Admission } from "../tunnel/admission.ts";
import { Http2Link } from "../tunnel/http2-link.ts";

/** Connections that shake hands or wait for admission; those admitted do not count. */
const maxStrangers = 256;
/** A node answers pings, of which visitors that leave cause up to 200 a second, and sends its own. */
const maxFramesPerSecond = 1_000;

/** How a control connection may be asked for. */
export const controlAlpns: readonly string[] = [tunnelAlpn, http2TunnelAlpn];

/** One end of an admitted node's control connection, as its tunnel needs it. */
export interface AdmittedNode {
  readonly node: NodeId;
  readonly epoch: number;
  readonly version: string;
  readonly channel: ControlChannel;
  /** Set when visitors travel over this very connection. */
  readonly link: Http2Link | undefined;
}

/** What became of a node that was let in. */
export interface NodeEvents {
  /** The node takes no more visitors and will close when its last one has left. */
  onGoaway: () => void;
  onEnd: (end: ChannelEnd, detail: string) => void;
}

export interface ControlOptions {
  identity: Identity;
  pingMs: number;
  /** For the handshake, and for the hello after it. */
  helloMs: number;
  clock: Clock;
  log: Log;
  admit: (node: NodeId, epoch: number) => Promise<Admission>;
  onNode: (node: AdmittedNode) => NodeEvents;
}

export class ControlDoor {
  readonly #options: ControlOptions;
  readonly #server: Server;
  readonly #hellos: Deadlines<ControlChannel>;
  readonly #strangers = new Set<ControlChannel>();
  #handshakes = 0;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { identity, helloMs, clock } = options;
    this.#hellos = new Deadlines({
      ms: helloMs,
      clock,
      onExpired: (channel) => channel.close({ type: "goaway", reason: "protocol-error", detail: "No hello in time." }),
    });
    // Never listens itself: it is given sockets whose first bytes were read already.
    this.#server = createServer({
      cert: identity.certificate,
      key: identity.privateKeyPem,
      minVersion: "TLSv1.3",
      ALPNProtocols: [...controlAlpns],
      requestCert: true,
      rejectUnauthorized: false, // self-signed; the key is what counts
      secureOptions: constants.SSL_OP_NO_TICKET, // each connection proves the key anew
      handshakeTimeout: helloMs,
    });
    // Every connection given to the server comes to one of these two.
    this.#server.on("secureConnection", (socket) => {
      this.#handshakes--;
      this.#greet(socket);
    });
    this.#server.on("tlsClientError", (error, socket) => {
      this.#handshakes--;
      options.log.debug("control.handshake-failed", { error: errorText(error) });
      socket.destroy(); // where the time was over, nobody else does
    });
  }

  /** Takes a connection whose ClientHello has been put back. Answers false when too many wait to be let in. */
  accept(socket: Socket): boolean {
    if (this.#handshakes + this.#strangers.size >= maxStrangers) return false;
    this.#handshakes++;
    this.#server.emit("connection", socket);
    return true;
  }

  #greet(socket: TLSSocket): void {
    const { clock, log } = this.#options;
    const node = nodeIdOfPeer(socket);
    if (!node) {
      log.debug("control.refused", { reason: "no Ed25519 certificate" });
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    let events: NodeEvents | undefined;
    let greeted = false;
    const link = socket.alpnProtocol === http2TunnelAlpn ? new Http2Link(socket) : undefined;
    const channel = new ControlChannel({
      socket: link?.control ?? socket,
      bytesHeard: () => socket.bytesRead,
      clock,
      maxFramesPerSecond,
      onFrame: (frame) => {
        if (frame.type === "hello" && !greeted) {
          greeted = true;
          this.#hellos.stop(channel);
          void this.#decide(node, frame, channel, link).then((admitted) => (events = admitted));
        } else if (frame.type === "goaway") events?.onGoaway();
        else channel.close({ type: "goaway", reason: "protocol-error", detail: `Unexpected ${frame.type}.` });
      },
      onEnd: (end, detail) => {
        this.#hellos.stop(channel);
        this.#strangers.delete(channel);
        events?.onEnd(end, detail);
        link?.end();
      },
    });
    this.#strangers.add(channel);
    this.#hellos.start(channel);
  }

  async #decide(
    node: NodeId,
    { epoch, version }: Extract<ControlFrame, { type: "hello" }>,
    channel: ControlChannel,
    link: Http2Link | undefined,
  ): Promise<NodeEvents | undefined> {
    const { admit, pingMs, log, onNode } = this.#options;
    const admission = await admit(node, epoch);
    if (channel.ended) return undefined;
    if (!admission.admit) {
      const { reason } = admission.goaway;
      // Anyone can make a key and knock; what a known node meets, its operator will ask about.
      log[reason === "unknown-node" ? "debug" : "info"]("tunnel.refused", { node, epoch, reason });
      channel.close({ type: "goaway", ...admission.goaway });
      return undefined;
    }
    this.#strangers.delete(channel);
    // First, so that whoever the node's visitors come to knows of it when the node says that it is up.
    const events = onNode({ node, epoch, version, channel, link });
    channel.send({ type: "welcome", pingMs });
    channel.startPings(pingMs);
    return events;
  }
}

/** The id that the peer has proved on this very connection. */
function nodeIdOfPeer(socket: TLSSocket): NodeId | undefined {
  if (!controlAlpns.includes(String(socket.alpnProtocol)) || socket.isSessionReused()) return undefined;
  return provedIdOf(socket);
}
