/**
 * Joins two sockets: bytes flow both ways with the back-pressure of the kernel, an end of one direction is
 * passed on as an end of that direction only (half-close), a reset as a reset. A splice without a byte in
 * either direction for `idleMs` is closed. It never looks at a byte, and no byte is copied by JavaScript.
 *
 * Both sockets must have been made with `allowHalfOpen: true`.
 */
import type { TunnelSocket } from "./tunnel-socket.ts";

export interface SpliceOptions {
  /** Longest time without a byte in either direction; also bounds a visitor that stopped reading. */
  idleMs: number;
  /**
   * Asked before an end of `b` is passed on to `a`. The kernel ends the connections of a killed process as if it had
   * meant it; where that can be found out, `false` makes it a reset, so that what `a` got does not look complete.
   */
  confirmEndOfB?: () => Promise<boolean>;
}

export interface SpliceResult {
  readonly bytesFromA: number;
  readonly bytesFromB: number;
  /** How it ended; `error` is a reset or a failed write of one side, passed on to the other as a reset. */
  readonly ended: "finished" | "idle" | "error";
}

/** Resolves, never rejects, once both sockets are closed. Bytes already buffered in either socket are sent. */
export function splice(
  a: TunnelSocket,
  b: TunnelSocket,
  { idleMs, confirmEndOfB }: SpliceOptions,
): Promise<SpliceResult> {
  return new Promise((resolve) => {
    let ended: SpliceResult["ended"] = "finished";
    let open = 2;
    let idleSince = 0;
    let bytesThen = -1;

    const abort = (how: SpliceResult["ended"]): void => {
      if (ended === "finished") ended = how;
      a.resetAndDestroy();
      b.resetAndDestroy();
    };
    // A byte read or a byte that the kernel took for writing is activity; one timer watches both directions.
    const moved = (): number =>
      a.bytesRead + b.bytesRead + a.bytesWritten + b.bytesWritten - a.writableLength - b.writableLength;
    const watchMs = Math.max(10, Math.min(idleMs / 4, 15_000));
    const watch = setInterval(() => {
      const bytes = moved();
      if (bytes !== bytesThen) {
        bytesThen = bytes;
        idleSince = 0;
      } else if ((idleSince += watchMs) >= idleMs) abort("idle");
    }, watchMs);

    const onClose = (): void => {
      if (--open > 0) return;
      clearInterval(watch);
      resolve({ bytesFromA: a.bytesRead, bytesFromB: b.bytesRead, ended });
    };
    for (const [from, to] of [
      [a, b],
      [b, a],
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
      from.pipe(to, { end: from === a || !confirmEndOfB });
    }
    if (confirmEndOfB)
      b.on("end", () => {
        void confirmEndOfB().then((meant) => (meant ? a.end() : abort("error")));
      });
  });
}
