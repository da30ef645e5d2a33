/**
 * The door for pool connections inside TLS: this relay proves its key, or resumes a session in which it did, and reads
 * the pass inside. What the node's visitor gets is the TLS socket.
 */
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { createPoolContext, ticketKeysOf } from "../../shared/nodejs/pool-tls.ts";
import { reset } from "../../shared/nodejs/reset.ts";
import { poolAlpn } from "../../shared/tunnel/pool.ts";
import { acceptTls } from "./accept-tls.ts";
import { FirstBytes, type FirstBytesAnswer } from "./first-bytes.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import { networkOf } from "../limits/network.ts";
import { PendingHellos } from "./pending-hellos.ts";

/** For the handshake and the pass. */
const passMs = 5_000;
/** Connections that shake hands or have not said their pass: two bursts of a whole pool. */
const maxStrangers = 1_024;

export interface PoolDoorOptions {
  identity: Identity;
  /** Shared with those who take up each other's sessions. */
  ticketSecret?: Uint8Array | undefined;
  metrics: RelayMetrics;
  clock: Clock;
  /** Answers false when the pass is nobody's. */
  onPass: (socket: Socket, pass: Uint8Array) => boolean;
}

export class PoolDoor {
  readonly #options: PoolDoorOptions;
  readonly #context: SecureContext;
  readonly #strangers: PendingHellos<FirstBytes>;

  constructor(options: PoolDoorOptions) {
    const { identity, ticketSecret, clock, metrics } = options;
    this.#options = options;
    this.#context = createPoolContext(identity, ticketKeysOf(ticketSecret, poolAlpn));
    this.#strangers = new PendingHellos({
      max: maxStrangers,
      maxPerAddress: maxStrangers,
      ms: passMs,
      clock,
      onDropped: (first) => {
        first.stop();
        metrics.refused("no-pass-in-time");
        reset(first.socket);
      },
    });
  }

  /** Takes a connection whose ClientHello has been put back. */
  accept(tcp: Socket): void {
    const tls = acceptTls(tcp, { secureContext: this.#context, ALPNProtocols: [poolAlpn] });
    this.#strangers.add(new FirstBytes(tls, this.#onAnswer), networkOf(tcp.remoteAddress ?? ""));
  }

  readonly #onAnswer = (first: FirstBytes, answer: FirstBytesAnswer): void => {
    const { metrics, onPass } = this.#options;
    this.#strangers.delete(first);
    if (answer.kind === "pass" && onPass(first.socket, answer.pass)) return;
    metrics.refused(answer.kind === "pass" ? "unknown-pass" : "bad-preface");
    reset(first.socket);
  };
}
