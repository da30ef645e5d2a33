import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import { encodeAlert, type AlertDescription } from "../../shared/tls/alert.ts";
import { reset } from "../../shared/nodejs/reset.ts";

const lingerMs = 1_000;

/** Tells a client in the language of TLS that nobody will serve it, and why, and sees that it goes. */
export class Farewell {
  readonly #lingering: Deadlines<Socket>;

  constructor({ clock }: { clock: Clock }) {
    this.#lingering = new Deadlines({ ms: lingerMs, clock, onExpired: (socket) => reset(socket) });
  }

  /** The socket must not be read by anyone else. What it still sends is thrown away: unread, it would turn the alert into a reset. */
  say(socket: Socket, alert: AlertDescription): void {
    this.#end(socket, encodeAlert(alert));
  }

  /** The same without a word, for a relay that may ask another one. */
  leave(socket: Socket): void {
    this.#end(socket, "");
  }

  #end(socket: Socket, lastWords: Uint8Array | ""): void {
    if (socket.destroyed) return;
    this.#lingering.start(socket);
    socket.once("close", () => this.#lingering.stop(socket));
    socket.end(lastWords);
    socket.resume();
  }
}
