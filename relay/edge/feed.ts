/** The WebSocket on which the edge tells which name belongs to which node; kept up for as long as the relay runs. */
import { WebSocket } from "ws";
import { decideReconnectMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { lookupWithLoopback } from "../../shared/nodejs/loopback-lookup.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { feedMessageSchema, feedPing, feedPong, type FeedMessage } from "../../shared/registry/feed.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

const handshakeMs = 5_000;
const maxMessageBytes = 4 * 1024 * 1024; // a part of a snapshot has about 250 KB

export interface FeedOptions {
  /** Origin of the edge. */
  edgeUrl: string;
  edge: EdgeClient;
  relay: NodeId;
  /** The cursor to go on from, at each connection. */
  cursor: () => string | undefined;
  onConnected: () => void;
  onMessage: (message: FeedMessage) => void;
  clock: Clock;
  random: () => number;
  log: Log;
  /** How often to ask whether the edge still listens; no answer until the next time means it does not. */
  pingMs?: number;
}

export class Feed {
  readonly #options: FeedOptions & { pingMs: number };
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #connected = false;
  #heardAt: number | undefined;

  constructor(options: FeedOptions) {
    this.#options = { pingMs: 15_000, ...options };
    this.#done = this.#run();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** When the edge last said anything; undefined before the first time. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, log, random } = this.#options;
    const { signal } = this.#stop;
    let attempt = 0;
    let lostAt = clock.now();
    while (!signal.aborted) {
      const error = await this.#follow().catch(errorText);
      if (signal.aborted) return;
      if (this.#connected) {
        this.#connected = false;
        attempt = 0;
        lostAt = clock.now();
        log.warn("feed.lost", { error });
      } else if (attempt === 0) log.warn("feed.failed", { error });
      await clock.sleep(decideReconnectMs(attempt++, clock.now() - lostAt, random), signal).catch(() => {});
    }
  }

  /** One connection from its start to its end; resolves or rejects with why it ended. */
  async #follow(): Promise<string> {
    const { edgeUrl, edge, relay, cursor, onConnected, clock, log } = this.#options;
    const url = new URL(`/v1/relays/${relay}/feed`, edgeUrl);
    const since = cursor();
    if (since !== undefined) url.searchParams.set("since", since);
    const headers = Object.fromEntries(await edge.signedHeaders("GET", url.href));
    if (this.#stop.signal.aborted) return "stopped";
    const socketUrl = url.href.replace(/^http/, "ws"); // what is signed is the URL of the request
    return new Promise((resolve) => {
      const socket = new WebSocket(socketUrl, {
        headers,
        handshakeTimeout: handshakeMs,
        maxPayload: maxMessageBytes,
        perMessageDeflate: false,
        lookup: lookupWithLoopback,
      });
      let reason = "";
      const stop = (): void => socket.terminate();
      const pings = this.#pingUntilSilent(socket, (why) => (reason = why));
      this.#stop.signal.addEventListener("abort", stop, { once: true });
      socket.on("open", () => {
        this.#connected = true;
        this.#heardAt = clock.now();
        log.info("feed.connected", { since: since ?? "the start" });
        onConnected();
      });
      socket.on("message", (data: Buffer) => {
        this.#heardAt = clock.now();
        try {
          this.#take(data.toString());
        } catch (error) {
          reason = `The edge sent what this version does not know: ${errorText(error)}`;
          socket.terminate();
        }
      });
      socket.on("error", (error) => (reason ||= errorText(error)));
      socket.on("close", (code) => {
        clearInterval(pings);
        this.#stop.signal.removeEventListener("abort", stop);
        resolve(reason || `closed with code ${code}`);
      });
    });
  }

  #pingUntilSilent(socket: WebSocket, explain: (reason: string) => void): NodeJS.Timeout {
    const { pingMs } = this.#options;
    let askedAt: number | undefined;
    return setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (askedAt !== undefined && (this.#heardAt ?? 0) < askedAt) {
        explain("The edge did not answer a ping.");
        return socket.terminate();
      }
      askedAt = this.#options.clock.now();
      socket.send(feedPing);
    }, pingMs);
  }

  #take(text: string): void {
    if (text !== feedPong) this.#options.onMessage(feedMessageSchema.parse(JSON.parse(text)));
  }
}
