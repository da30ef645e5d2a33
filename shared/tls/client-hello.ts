/**
 * Finds the ClientHello at the start of a connection, whatever way its bytes were cut: into TCP segments, and into
 * TLS records, which may be as short as one byte. It decides nothing about names; the relay routes by its answer,
 * and anyone on the Internet may send it anything.
 *
 *     record:   | 16 handshake | 03 xx | length 2 |  fragment, 1..16384 bytes  |   RFC 8446 §5.1; repeated
 *     message:  | 01 client_hello | length 3 |  body  |                            RFC 8446 §4; in the fragments joined
 */
import type { AlertDescription } from "./alert.ts";
import { messageRefusals, parseHelloMessage, type ClientHello } from "./hello-message.ts";

/** The longest message taken, with its header. Post-quantum hellos have 1.7 KB; 5.5 KB was seen from Envoy. */
export const maxClientHelloBytes: number = 64 * 1024;
/** The most that is read from the connection for it, record headers counted. */
export const maxClientHelloRawBytes: number = 2 * maxClientHelloBytes;
const maxFragmentBytes = 2 ** 14; // RFC 8446 §5.1
const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
const firstBufferBytes = 2048; // most hellos fit

const refusals = {
  ...messageRefusals,
  /** The first byte is a capital letter: a request in plain HTTP. */
  http: "unexpected_message",
  /** The first byte is that of an SSL 2.0 header. */
  sslv2: "protocol_version",
  "not-tls": "unexpected_message",
  /** The client ends the handshake before it began. */
  alert: "unexpected_message",
  /** A record of another content type, at the start or amid the hello. */
  "not-handshake": "unexpected_message",
  "record-version": "protocol_version",
  "empty-record": "unexpected_message",
  "record-too-long": "record_overflow",
  "not-client-hello": "unexpected_message",
  "hello-too-long": "illegal_parameter",
} as const satisfies Record<string, AlertDescription>;

export type HelloRefusal = keyof typeof refusals;

export type ParsedClientHello =
  | ({ readonly kind: "hello" } & ClientHello)
  | { readonly kind: "incomplete" }
  | { readonly kind: "refused"; readonly reason: HelloRefusal; readonly alert: AlertDescription };

/** Reads all the bytes received so far. Never throws. For bytes that keep coming, use {@link ClientHelloReader}. */
export function parseClientHello(bytes: Uint8Array): ParsedClientHello {
  return new ClientHelloReader().push(bytes);
}

/**
 * The same for bytes as they come: each is looked at once, so the work is linear in what was received however it was
 * cut. Refuses at the first byte of a header that is wrong; the body is judged when it is whole.
 */
export class ClientHelloReader {
  #answer: ParsedClientHello = { kind: "incomplete" };
  #rawBytes = 0;
  /** Header bytes of the record read so far, then the bytes its fragment still lacks. */
  #headerBytes = 0;
  #fragmentLeft = 0;
  /** The message, joined from the fragments; zeros beyond `#messageBytes`. */
  #message = new Uint8Array(0);
  #messageBytes = 0;

  /** The answer after these further bytes; once it is final, it stays. The chunk is not kept. */
  push(chunk: Uint8Array): ParsedClientHello {
    if (this.#answer.kind !== "incomplete") return this.#answer;
    this.#answer = this.#read(chunk);
    if (this.#answer.kind !== "incomplete") this.#message = new Uint8Array(0); // the reader may be kept for longer
    return this.#answer;
  }

  #read(chunk: Uint8Array): ParsedClientHello {
    let answer = incomplete;
    for (let at = 0; answer.kind === "incomplete" && at < chunk.length;) {
      if (this.#headerBytes < recordHeaderBytes) {
        answer = this.#takeHeaderByte(chunk[at++] ?? 0);
      } else {
        const fragment = chunk.subarray(at, at + this.#fragmentLeft);
        at += fragment.length;
        answer = this.#takeFragment(fragment);
      }
    }
    return answer;
  }

  #takeHeaderByte(byte: number): ParsedClientHello {
    this.#rawBytes++;
    switch (this.#headerBytes++) {
      case 0:
        return byte === 0x16 ? incomplete : refuse(this.#rawBytes === 1 ? strangerOf(byte) : "not-handshake");
      case 1:
        return byte === 3 ? incomplete : refuse("record-version");
      case 2:
        return incomplete; // RFC 8446 §5.1: the minor version "MUST be ignored for all purposes"
      case 3:
        this.#fragmentLeft = byte << 8;
        return this.#fragmentLeft > maxFragmentBytes ? refuse("record-too-long") : incomplete;
      default:
        this.#fragmentLeft |= byte;
        if (this.#fragmentLeft > maxFragmentBytes) return refuse("record-too-long");
        if (this.#fragmentLeft === 0) return refuse("empty-record"); // RFC 8446 §5.1
        return this.#rawBytes + this.#fragmentLeft > maxClientHelloRawBytes ? refuse("hello-too-long") : incomplete;
    }
  }

  #takeFragment(fragment: Uint8Array): ParsedClientHello {
    this.#rawBytes += fragment.length;
    this.#fragmentLeft -= fragment.length;
    if (this.#fragmentLeft === 0) this.#headerBytes = 0;

    this.#append(fragment);
    const message = this.#message;
    if (message[0] !== 1) return refuse("not-client-hello");
    // Bytes of the length that have not come are still zero, so this is a lower bound until they have.
    const bodyBytes = ((message[1] ?? 0) << 16) | ((message[2] ?? 0) << 8) | (message[3] ?? 0);
    const length = messageHeaderBytes + bodyBytes;
    if (length > maxClientHelloBytes) return refuse("hello-too-long");
    if (this.#messageBytes < messageHeaderBytes || this.#messageBytes < length) return incomplete;

    const hello = parseHelloMessage(message.subarray(messageHeaderBytes, length));
    return typeof hello === "string" ? refuse(hello) : { kind: "hello", ...hello };
  }

  /** Doubles the buffer when it is full: a client that only promises a long hello costs little. */
  #append(fragment: Uint8Array): void {
    const bytes = this.#messageBytes + fragment.length;
    if (bytes > this.#message.length) {
      const larger = new Uint8Array(Math.max(firstBufferBytes, bytes, 2 * this.#message.length));
      larger.set(this.#message.subarray(0, this.#messageBytes));
      this.#message = larger;
    }
    this.#message.set(fragment, this.#messageBytes);
    this.#messageBytes = bytes;
  }
}

const incomplete: ParsedClientHello = { kind: "incomplete" };

function refuse(reason: HelloRefusal): ParsedClientHello {
  return { kind: "refused", reason, alert: refusals[reason] };
}

/** What a connection is whose first byte does not begin a handshake record. */
function strangerOf(byte: number): HelloRefusal {
  if (byte === 0x15) return "alert";
  if (byte >= 0x14 && byte <= 0x18) return "not-handshake";
  if (byte >= 0x41 && byte <= 0x5a) return "http";
  return byte >= 0x80 ? "sslv2" : "not-tls";
}
