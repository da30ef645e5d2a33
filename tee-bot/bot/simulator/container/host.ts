/** Where the container runs: it dies and is started again, while Signal and the telephones go on. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { reset } from "../../../../shared/nodejs/reset.ts";
import { Container, never, type ContainerOptions, type EmittedLine } from "./container.ts";
import { Receivers } from "./receivers.ts";

export interface HostOptions extends Omit<ContainerOptions, "receivers" | "onCrash"> {
  /** Without it, a container that died stays dead until it is started. */
  readonly restartAfterMs: number | undefined;
}

interface Running {
  readonly container: Container;
  readonly receivers: Receivers;
}

export class Host implements Disposable {
  readonly #options: HostOptions;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();
  #running: Running | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    this.start();
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  start(): void {
    if (this.#running || this.#closing.signal.aborted) return;
    const receivers = new Receivers();
    const container = new Container({ ...this.#options, receivers, onCrash: () => this.crash() });
    this.#running = { container, receivers };
  }

  /** Connections are reset; what signal-cli had taken and nobody has yet is lost. */
  crash(): void {
    if (!this.#running) return;
    this.#end();
    const { mailbox, clock, log, restartAfterMs } = this.#options;
    mailbox.loseEmitted();
    log.warn("server.crashed", { waiting: mailbox.waiting });
    if (restartAfterMs === undefined) return;
    void clock.sleep(restartAfterMs, this.#closing.signal).then(
      () => this.start(),
      () => {},
    );
  }

  /** Something that signal-cli does; no answer comes from a container that is dead. */
  call<Value>(work: () => Value): Promise<Value> {
    return this.#running?.container.call(work) ?? never();
  }

  receive(timeoutMs: number, maxMessages: number): Promise<EmittedLine[]> {
    return this.#running?.container.receive(timeoutMs, maxMessages) ?? never();
  }

  /** Whether there is anything to talk to on this connection; if so, it lives no longer than the container. */
  admit(socket: Socket): boolean {
    if (!this.#running) {
      reset(socket);
      return false;
    }
    if (!this.#sockets.has(socket)) socket.once("close", () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    return true;
  }

  /** A WebSocket that receives. */
  accept(number: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#running) this.#running.receivers.accept(number, request, socket, head);
    else socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
    this.#end();
  }

  #end(): void {
    this.#running?.container.end();
    this.#running = undefined;
    for (const socket of this.#sockets) reset(socket);
    this.#sockets.clear();
  }
}
