/**
 * The control connection of a tunnel: TLS 1.3 with ALPN `postern/1`, both sides proving their Ed25519 key
 * with a self-signed certificate, then frames in both directions:
 *
 *     0        2      3
 *     +--------+------+---------------------+
 *     | length | type | payload (length - 1) |     length: big-endian, counts type and payload
 *     +--------+------+---------------------+
 *
 *     type  name     from   payload
 *     0x01  hello    node   JSON {"epoch", "version"}
 *     0x02  welcome  relay  JSON {"pingMs"}: admitted
 *     0x03  dial     relay  one or more passes of 16 bytes: open one pool connection for each
 *     0x04  ping     both   8 bytes, any
 *     0x05  pong     both   the 8 bytes of the ping
 *     0x06  goaway   both   JSON {"reason", "detail"}: no new visitor for this tunnel; the sender closes when done
 *     0x07  missed   relay  JSON {"passes"}: how many passes have expired since it was said last
 */
import { z } from "zod";
import { AppError } from "../errors.ts";
import { epochSchema } from "../registry/messages.ts";

export const tunnelAlpn = "postern/1";
export const passBytes = 16;
export const maxFrameBytes = 32 * 1024;
const headerBytes = 3;
const types = { hello: 1, welcome: 2, dial: 3, ping: 4, pong: 5, goaway: 6, missed: 7 } as const;

export const helloSchema = z.object({ epoch: epochSchema, version: z.string().max(40) });
export const welcomeSchema = z.object({ pingMs: z.int().min(100).max(120_000) });

/** Why a tunnel ends. Only `superseded` is final for the node's process; after any other reason it comes back. */
export const goawayReasons = [
  "superseded",
  "not-admitted",
  "unknown-node",
  "draining",
  "protocol-error",
  "stopping",
] as const;
export const goawaySchema = z.object({ reason: z.enum(goawayReasons), detail: z.string().max(500) });
export const missedSchema = z.object({ passes: z.int().min(1) });

export type Goaway = z.infer<typeof goawaySchema>;
export type ControlFrame =
  | ({ type: "hello" } & z.infer<typeof helloSchema>)
  | ({ type: "welcome" } & z.infer<typeof welcomeSchema>)
  | { type: "dial"; passes: Uint8Array[] }
  | { type: "ping"; data: Uint8Array }
  | { type: "pong"; data: Uint8Array }
  | ({ type: "goaway" } & Goaway)
  | ({ type: "missed" } & z.infer<typeof missedSchema>);

export function encodeFrame(frame: ControlFrame): Uint8Array {
  const payload = encodePayload(frame);
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, payload.length + 1);
  view.setUint8(2, types[frame.type]);
  bytes.set(payload, headerBytes);
  return bytes;
}

function encodePayload(frame: ControlFrame): Uint8Array {
  switch (frame.type) {
    case "dial": {
      const payload = new Uint8Array(frame.passes.length * passBytes);
      frame.passes.forEach((pass, index) => payload.set(pass, index * passBytes));
      return payload;
    }
    case "ping":
    case "pong":
      return frame.data;
    case "hello":
    case "welcome":
    case "goaway":
    case "missed": {
      const { type: _, ...message } = frame;
      return new TextEncoder().encode(JSON.stringify(message));
    }
  }
}

/** Turns a byte stream, cut anywhere, back into frames. Throws {@link AppError} at the first byte that fits no frame. */
export class FrameReader {
  #held = new Uint8Array(0);

  push(chunk: Uint8Array): ControlFrame[] {
    let bytes = chunk;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.length);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const frames: ControlFrame[] = [];
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const length = view.getUint16(at);
      if (length < 1 || length > maxFrameBytes)
        throw new AppError("bad-request", `A control frame of ${length} bytes.`);
      if (bytes.length - at < 2 + length) break;
      frames.push(parseFrame(view.getUint8(at + 2), bytes.subarray(at + headerBytes, at + 2 + length)));
      at += 2 + length;
    }
    this.#held = copyOf(bytes.subarray(at));
    return frames;
  }
}

function parseFrame(type: number, payload: Uint8Array): ControlFrame {
  switch (type) {
    case types.hello:
      return { type: "hello", ...parseMessage(helloSchema, payload) };
    case types.welcome:
      return { type: "welcome", ...parseMessage(welcomeSchema, payload) };
    case types.goaway:
      return { type: "goaway", ...parseMessage(goawaySchema, payload) };
    case types.missed:
      return { type: "missed", ...parseMessage(missedSchema, payload) };
    case types.ping:
    case types.pong:
      if (payload.length !== 8) throw new AppError("bad-request", "A ping carries 8 bytes.");
      return { type: type === types.ping ? "ping" : "pong", data: copyOf(payload) };
    case types.dial: {
      if (payload.length === 0 || payload.length % passBytes !== 0)
        throw new AppError("bad-request", `Passes have ${passBytes} bytes each.`);
      const passes: Uint8Array[] = [];
      for (let at = 0; at < payload.length; at += passBytes) passes.push(copyOf(payload.subarray(at, at + passBytes)));
      return { type: "dial", passes };
    }
    default:
      throw new AppError("bad-request", `Unknown control frame type ${type}.`);
  }
}

/** `Buffer.slice` of Node, unlike that of Uint8Array, is a view of the chunk, whose memory may be used again. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function parseMessage<T>(schema: z.ZodType<T>, payload: Uint8Array): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(payload));
  } catch (error) {
    throw new AppError("bad-request", "A control frame is not JSON.", { cause: error });
  }
  const message = schema.safeParse(json);
  if (!message.success)
    throw new AppError("bad-request", `A control frame is not as agreed: ${z.prettifyError(message.error)}`);
  return message.data;
}
