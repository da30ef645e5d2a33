/** One visitor on its way to a name: its connections, its requests, and an end to its patience. */
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Random } from "../../fuzz/random.ts";
import type { SoakNode, SoakRelay } from "../world.ts";

export interface VisitorOptions {
  readonly node: SoakNode;
  /** Addresses of the name, in the order they are tried. */
  readonly relays: readonly SoakRelay[];
  readonly ca: string;
  readonly random: Random;
  /** Ends whatever it does. */
  readonly signal: AbortSignal;
}

export class Visitor {
  readonly random: Random;
  readonly #options: VisitorOptions;
  readonly #sockets = new Set<Socket>();
  #relay: string;

  constructor(options: VisitorOptions) {
    this.#options = options;
    this.random = options.random;
    this.#relay = options.relays[0]?.label ?? "none";
    options.signal.addEventListener("abort", () => this.leave(), { once: true });
  }

  /** The relay it reached last. */
  get relay(): string {
    return this.#relay;
  }

  get hostname(): string {
    return this.#options.node.hostname;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** A TCP connection to the first address that takes one, as clients of a name with several addresses do. */
  async connect(): Promise<Socket> {
    let refused: unknown = new Error("no relay is named for this node");
    for (const { label, port } of this.#options.relays) {
      this.#relay = label;
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      this.#keep(socket);
      try {
        await once(socket, "connect");
        return socket;
      } catch (error) {
        refused = error;
        if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") break;
      }
    }
    throw refused;
  }

  /** A connection on which the node has proved its name. */
  async open(): Promise<TLSSocket> {
    const socket = await this.connect();
    const tls = connectTls({ socket, servername: this.hostname, ca: this.#options.ca, ALPNProtocols: ["http/1.1"] });
    this.#keep(tls);
    await once(tls, "secureConnect");
    return tls;
  }

  /** Sends what is given, on a connection of its own unless told otherwise, and resolves to the answer's head. */
  async request(path: string, options: RequestOptions & { body?: Iterable<Buffer> } = {}): Promise<IncomingMessage> {
    const { body, ...rest } = options;
    const agent = options.agent ?? agentOf(await this.open());
    const request = httpRequest({ path, headers: { host: this.hostname }, ...rest, agent });
    request.on("error", () => {}); // heard below
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    answered.catch(() => {}); // the body may fail first
    if (body) await this.#send(request, body, answered);
    request.end();
    const [response] = await answered;
    // Node would end an answer that only its end ends as if it were complete, though the connection was reset.
    request.on("error", (error) => response.destroy(error));
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode} for ${path}`);
    return response;
  }

  async text(path: string, options?: RequestOptions & { body?: Iterable<Buffer> }): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of (await this.request(path, options)) as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  /** Goes at once, whatever is under way. */
  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #send(
    request: ReturnType<typeof httpRequest>,
    body: Iterable<Buffer>,
    answered: Promise<unknown>,
  ): Promise<void> {
    let over = false;
    const stop = (): void => void (over = true);
    answered.then(stop, stop);
    for (const chunk of body) {
      if (over) return;
      if (!request.write(chunk)) await Promise.race([once(request, "drain"), answered]);
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // whoever waits hears of it
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.signal.aborted) socket.destroy(this.signal.reason as Error);
  }
}

/** Sends requests over this connection, one after the other. */
export function agentOf(socket: TLSSocket): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  Object.assign(agent, { createConnection: () => socket });
  return agent;
}
