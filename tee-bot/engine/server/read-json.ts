import type { IncomingMessage } from "node:http";
import { EngineError } from "../api/engine-error.ts";

const maxBodyBytes = 16 * 1024 * 1024;

/** Throws {@link EngineError}: `body_too_large`, `invalid_request`. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    // What is too much is read to its end, but not kept: who still writes would not read the refusal.
    if (bytes > maxBodyBytes) pieces = [];
    else pieces.push(piece);
  }
  if (bytes > maxBodyBytes)
    throw new EngineError("body_too_large", `The embedded engine reads bodies of at most ${maxBodyBytes} bytes.`);
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch (error) {
    // The error itself quotes the body, so of it only the place is told.
    const place = /at position \d+/.exec(String(error))?.[0];
    throw new EngineError("invalid_request", `The body is not JSON${place ? `, ${place}` : ""}.`);
  }
}
