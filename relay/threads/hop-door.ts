/** Where visitors of other threads come in whose tunnel is held here, in one connection. hop-link.ts has the form. */
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import { ignoreErrors } from "../../shared/nodejs/ignore-errors.ts";
import { splice } from "../../shared/nodejs/splice.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { hopPrefaceBytes, hopSecretBytes } from "./hop-link.ts";
import { reset } from "../../shared/nodejs/reset.ts";

const prefaceMs = 5_000;
const maxStrangers = 1_024;

export interface HopDoorOptions {
  secret: Uint8Array;
  /** A way to the tunnel's node for one visitor; undefined when it takes none. */
  open: (id: number) => TunnelSocket | undefined;
  /** Past what the visitor's own thread allows. */
  idleMs: number;
  clock: Clock;
}

export class HopDoor {
  readonly #options: HopDoorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #strangers: Deadlines<Socket>;

  constructor(options: HopDoorOptions) {
    this.#options = options;
    const { clock } = options;
    this.#strangers = new Deadlines({ ms: prefaceMs, clock, onExpired: (socket) => reset(socket) });
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Answers the port. */
  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  destroy(): void {
    this.#server.close();
    for (const socket of this.#sockets) reset(socket);
  }

  #accept(socket: Socket): void {
    ignoreErrors(socket);
    if (this.#strangers.size >= maxStrangers) return reset(socket);
    this.#sockets.add(socket);
    this.#strangers.start(socket);
    const decide = (): void => {
      // At the end it answers what there is.
      const preface = socket.read(hopPrefaceBytes) as Buffer | null;
      if (!preface && !socket.readableEnded) return;
      socket.off("readable", decide).off("end", decide);
      this.#strangers.stop(socket);
      if (preface?.length === hopPrefaceBytes) this.#join(socket, preface);
      else reset(socket);
    };
    socket.on("readable", decide).on("end", decide);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#strangers.stop(socket);
    });
  }

  #join(socket: Socket, preface: Buffer): void {
    const { secret, open, idleMs } = this.#options;
    const isOurs = timingSafeEqual(preface.subarray(0, hopSecretBytes), secret);
    const node = isOurs ? open(preface.readUInt32BE(hopSecretBytes)) : undefined;
    if (node) void splice(socket, node, { idleMs });
    else reset(socket);
  }
}
