/**
 * Reads just enough of a new connection to tell what it is: a pool connection of a node by its pass, or TLS by its
 * ClientHello. It waits for no one; deadlines and limits belong to its caller.
 */
import type { Socket } from "node:net";
import type { AlertDescription } from "../../shared/tls/alert.ts";
import { ClientHelloReader, type HelloRefusal } from "../../shared/tls/client-hello.ts";
import { parsePoolPreface, poolMagic } from "../../shared/tunnel/pool.ts";

export type FirstBytesAnswer =
  | { kind: "pass"; pass: Uint8Array }
  /** `bytes`: everything read so far, not put back. */
  | { kind: "hello"; serverName: string | undefined; alpn: readonly string[]; bytes: Buffer }
  /** Without an alert: it does not speak TLS. `left`: it closed before it said what it wanted. */
  | { kind: "refused"; reason: HelloRefusal | "bad-preface"; alert: AlertDescription | undefined }
  | { kind: "left" };

export class FirstBytes {
  readonly socket: Socket;
  readonly #onAnswer: (from: FirstBytes, answer: FirstBytesAnswer) => void;
  #held: Buffer[] = [];
  #reader: ClientHelloReader | undefined;

  /** `onAnswer` is called once, when this class has let go of the socket; never after {@link stop}. */
  constructor(socket: Socket, onAnswer: (from: FirstBytes, answer: FirstBytesAnswer) => void) {
    this.socket = socket;
    this.#onAnswer = onAnswer;
    socket.on("readable", this.#onReadable);
    socket.on("end", this.#onLeft);
    socket.on("close", this.#onLeft);
  }

  stop(): void {
    this.socket.removeListener("readable", this.#onReadable);
    this.socket.removeListener("end", this.#onLeft);
    this.socket.removeListener("close", this.#onLeft);
  }

  readonly #onReadable = (): void => {
    const chunk = this.socket.read() as Buffer | null;
    if (!chunk) return;
    this.#held.push(chunk);
    const answer = this.#judge(chunk);
    if (answer) this.#answer(answer);
  };

  readonly #onLeft = (): void => this.#answer({ kind: "left" });

  #answer(answer: FirstBytesAnswer): void {
    this.stop();
    this.#onAnswer(this, answer);
    this.#held = [];
  }

  #judge(chunk: Buffer): FirstBytesAnswer | undefined {
    if (this.#held[0]?.[0] === poolMagic[0]) {
      const preface = parsePoolPreface(this.#bytes());
      if (preface.kind === "incomplete") return undefined;
      return preface.kind === "pass" ? preface : { kind: "refused", reason: "bad-preface", alert: undefined };
    }
    this.#reader ??= new ClientHelloReader();
    const parsed = this.#reader.push(chunk);
    if (parsed.kind === "incomplete") return undefined;
    return parsed.kind === "hello" ? { ...parsed, bytes: this.#bytes() } : parsed;
  }

  #bytes(): Buffer {
    const [only] = this.#held;
    return this.#held.length === 1 && only ? only : Buffer.concat(this.#held);
  }
}
