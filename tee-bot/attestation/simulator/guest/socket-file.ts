/** A server's Unix socket: takes over the file of one that has ended, never that of one that listens, and removes its own. */
import { chmodSync, mkdirSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { AppError } from "../../../../shared/errors.ts";

/** `sun_path` of Linux, less its final zero. */
const maxPathBytes = 107;
const probeTimeoutMs = 1_000;

export async function listenOnSocket(server: Server, path: string): Promise<AsyncDisposable> {
  if (Buffer.byteLength(path) > maxPathBytes)
    throw new AppError(
      "bad-request",
      `${path} is too long for a socket (${maxPathBytes} bytes). Give a shorter one, or a shorter state directory.`,
    );
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing && !existing.isSocket())
    throw new AppError("bad-request", `${path} is a file that is no socket. Give another path with --socket.`);
  if (existing && (await isListening(path)))
    throw new AppError(
      "bad-request",
      `A process listens at ${path} already. Stop it, or give another path with --socket.`,
    );
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  // Images of dstack open theirs to everybody; here keys of a user lie behind it, on a machine with others.
  chmodSync(path, 0o600);
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(path, { force: true });
    },
  };
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.setTimeout(probeTimeoutMs, () => settle(true)); // it took the connection and is slow
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
