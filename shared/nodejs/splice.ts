/**
 * Joins two sockets: bytes flow both ways with the back-pressure of the kernel, an end of one direction is
 * passed on as an end of that direction only (half-close), a reset as a reset. A splice without a byte in
 * either direction for `idleMs` is closed, and one side of which has taken nothing of what waits for it for
 * `stalledMs`, whatever it sends meanwhile. It never looks at a byte.
 *
 * Both sockets must have been made with `allowHalfOpen: true`.
 */
import type { Duplex } from "node:stream";
import { carry } from "./carry.ts";
import { everyMs } from "./ticks.ts";
import type { TunnelSocket } from "./tunnel-socket.ts";
import { reset } from "./reset.ts";

export interface SpliceOptions {
  /** Longest time without a byte in either direction. */
  idleMs: number;
  /** Longest time that bytes may wait for a side that takes none; as `idleMs` unless given. */
  stalledMs?: number;
  /**
   * Asked before an end of `b` is passed on to `a`. The kernel ends the connections of a killed process as if it had
   * meant it; where that can be found out, `false` makes it a reset, so that what `a` got does not look complete.
   */
  confirmEndOfB?: () => Promise<boolean>;
  /** What the bytes of `a`, and those of `b`, pass through on their way. */
  through?: readonly [Duplex, Duplex] | undefined;
}

export interface SpliceResult {
  readonly bytesFromA: number;
  readonly bytesFromB: number;
  /** How it ended; `error` is a reset or a failed write of one side, passed on to the other as a reset. */
  readonly ended: "finished" | "idle" | "stalled" | "error";
}

/** Resolves, never rejects, once both sockets are closed. Bytes already buffered in either socket are sent. */
export function splice(a: TunnelSocket, b: TunnelSocket, options: SpliceOptions): Promise<SpliceResult> {
  const { idleMs, stalledMs = idleMs, confirmEndOfB, through } = options;
  return new Promise((resolve) => {
    let ended: SpliceResult["ended"] = "finished";
    let open = 2;
    const sides = [new Progress(a), new Progress(b)];

    const abort = (how: SpliceResult["ended"]): void => {
      if (ended === "finished") ended = how;
      reset(a);
      reset(b);
    };
    const watchMs = Math.max(10, Math.min(idleMs / 4, stalledMs / 4, maxWatchMs));
    const stopWatch = everyMs(watchMs, () => {
      for (const side of sides) side.look(watchMs);
      if (sides.every((side) => side.idleMs >= idleMs)) abort("idle");
      else if (sides.some((side) => side.stalledMs >= stalledMs)) abort("stalled");
    });

    const onClose = (): void => {
      if (--open > 0) return;
      stopWatch();
      resolve({ bytesFromA: a.bytesRead, bytesFromB: b.bytesRead, ended });
    };
    for (const [from, to, by] of [
      [a, b, through?.[0]],
      [b, a, through?.[1]],
    ] as const) {
      from.on("error", () => abort("error"));
      from.on("close", () => {
        // Without an end first, the bytes so far are not all there are: the other side must not take them as complete.
        if (!from.readableEnded && !to.destroyed) abort("error");
        onClose();
      });
      if (from.closed) {
        abort("error"); // gone before the splice began: no event will tell
        onClose();
      }
      const last = by ?? from;
      const onEnd = (): void => {
        if (from === a || !confirmEndOfB) to.end();
        else void confirmEndOfB().then((meant) => (meant ? a.end() : abort("error")));
      };
      if (last.readableEnded) onEnd(); // before the splice began: no event will tell
      else last.on("end", onEnd);
      if (by) {
        to.once("close", () => by.destroy());
        from.pipe(by).pipe(to, { end: false });
      } else carry(from, to);
    }
  });
}

const maxWatchMs = 15_000;

/** For how long a socket has moved nothing. A byte that the kernel took for writing has moved. */
class Progress {
  idleMs = 0;
  /** The same for what it should take, while something waits. */
  stalledMs = 0;
  readonly #socket: TunnelSocket;
  #read = -1;
  #taken = -1;

  constructor(socket: TunnelSocket) {
    this.#socket = socket;
  }

  look(sinceMs: number): void {
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const taken = bytesWritten - writableLength;
    this.idleMs = bytesRead === this.#read && taken === this.#taken ? this.idleMs + sinceMs : 0;
    this.stalledMs = writableLength > 0 && taken === this.#taken ? this.stalledMs + sinceMs : 0;
    this.#read = bytesRead;
    this.#taken = taken;
  }
}
