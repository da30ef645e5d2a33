/** What came over a socket, awaited rather than slept for. */
import type { Duplex } from "node:stream";

/** Bytes until at least `count` are there. Rejects when the socket ends or fails first. */
export function readBytes(socket: Duplex, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (settle: () => void): void => {
      socket.off("data", onData).off("end", onEnd).off("close", onEnd);
      socket.pause();
      settle();
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= count) done(() => resolve(Buffer.concat(chunks)));
    };
    const onEnd = (): void => done(() => reject(new Error(`The socket ended after ${bytes} of ${count} bytes.`)));
    socket.on("data", onData).on("end", onEnd).on("close", onEnd);
    socket.resume();
  });
}

/** How the other end closes this direction: cleanly, or with a reset; what it still sent is counted. */
export function readEnd(socket: Duplex): Promise<{ how: "end" | "reset"; bytes: Buffer }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const answer = (how: "end" | "reset"): void => resolve({ how, bytes: Buffer.concat(chunks) });
    if (socket.errored) return answer("reset");
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("end", () => answer("end"));
    socket.once("error", () => answer("reset"));
    socket.once("close", () => answer("reset"));
    socket.resume();
  });
}
