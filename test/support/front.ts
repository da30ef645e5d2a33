/** What visitors meet at a relay's public address: the relay behind it, nobody, or somebody else. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { TestCertificate } from "./certificate.ts";

export interface FrontOptions {
  /** An address of loopback, such as 127.0.0.2. */
  host: string;
  port: number;
  /** Where the relay itself listens on 127.0.0.1. */
  target: number;
  /** With whose key it answers while `impostor` is set. */
  certificate: TestCertificate;
}

export class Front implements AsyncDisposable {
  impostor = false;
  readonly #options: FrontOptions;
  readonly #tls: TlsServer;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(options: FrontOptions) {
    this.#options = options;
    const { certificate, key } = options.certificate;
    this.#tls = createTlsServer({ cert: certificate, key });
    this.#tls.on("tlsClientError", () => {});
  }

  async open(): Promise<void> {
    const { host, port } = this.#options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#take(near));
    this.#server.listen(port, host);
    await once(this.#server, "listening");
  }

  /** From now on nobody listens here. */
  async close(): Promise<void> {
    const closed = this.#server && once(this.#server, "close");
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(near: Socket): void {
    this.#keep(near);
    if (this.impostor) return void this.#tls.emit("connection", near);
    const far = connect({ host: "127.0.0.1", port: this.#options.target, allowHalfOpen: true, noDelay: true });
    this.#keep(far);
    near.pipe(far).pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}).once("close", () => this.#sockets.delete(socket));
  }
}
