/**
 * Reading an open TCP socket into memory that is used again. Node makes a buffer for each chunk otherwise, which is half
 * of what it costs to pass bytes on. `net.connect` has the option `onread` for this, an accepted socket has not; the fields
 * behind the option are the same, and found by their names. Where this Node has none, nothing is done.
 */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { TunnelSocket } from "./tunnel-socket.ts";

export interface Reader {
  /** Where the next bytes go. */
  buffer: Buffer;
  /** Takes `bytes` that are at the start of `buffer`; answers false to stop until `resume()`. */
  onRead(bytes: number, buffer: Buffer): boolean;
}

interface Handle {
  useUserBuffer?(buffer: Buffer): void;
}

const fields = fieldsOfOnread();

/** Whether this Node can do it (24.21 can). */
export const canReadInto: boolean = fields !== undefined;

/**
 * From now on the socket gives its bytes to the reader; its "data" and `read()` have none any more, the rest stays as it
 * is. Answers false, and does nothing, for what is no plain TCP socket: TLS goes on giving bytes after it was stopped.
 */
export function readInto(socket: TunnelSocket, reader: Reader): boolean {
  if (!fields || !(socket instanceof Socket) || socket instanceof TLSSocket) return false;
  const { _handle: handle } = socket as unknown as { _handle?: Handle | null };
  if (!handle?.useUserBuffer) return false;
  // One by one: `Object.assign` takes the slow way to each.
  const inner = socket as unknown as Record<symbol, unknown>;
  inner[fields.buffer] = reader.buffer;
  inner[fields.next] = () => reader.buffer;
  inner[fields.callback] = (bytes: number, buffer: Buffer) => reader.onRead(bytes, buffer);
  handle.useUserBuffer(reader.buffer);
  return true;
}

function fieldsOfOnread() {
  const onread = { buffer: Buffer.alloc(1), callback: () => true };
  const symbols = Object.getOwnPropertySymbols(new Socket({ onread }));
  const [buffer, next, callback] = ["kBuffer", "kBufferGen", "kBufferCb"].map((name) =>
    symbols.find(({ description }) => description === name),
  );
  return buffer && next && callback ? { buffer, next, callback } : undefined;
}
