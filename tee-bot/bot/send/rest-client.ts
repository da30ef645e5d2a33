/**
 * Calls of signal-cli-rest-api, which has no deadlines of its own and may hang for ever. Each has a connection of its own:
 * then a call that found no connection was certainly not made, and none is lost to a connection that was kept too long.
 */
import { Client } from "undici";
import { readUpTo } from "../../upstream/read-up-to.ts";
import { connectorOf } from "../../upstream/connector.ts";
import type { Lane, LanePriority } from "./lane.ts";
import { SignalFailure } from "./signal-failure.ts";

export interface RestCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the address: `/v1/about`. */
  path: string;
  /** Sent as JSON. */
  body?: object | undefined;
  /** From the beginning of its turn to the last byte of the answer. */
  timeoutMs: number;
  maxBytes?: number | undefined;
  /** `none`: it does not go through signal-cli, and so need not wait for others that do. */
  lane: LanePriority | "none";
  isStale?: (() => boolean) | undefined;
  /** Called when its turn has come, before anything is sent; the call is not made if it throws. */
  onTurn?: (() => void) | undefined;
  /** Ends it: nobody knows its outcome then. */
  signal?: AbortSignal | undefined;
}

export interface RestAnswer {
  readonly status: number;
  readonly bytes: Buffer;
}

const connectTimeoutMs = 5_000;
const defaultMaxBytes = 1024 * 1024;

export class RestClient {
  readonly #origin: string;
  readonly #basePath: string;
  readonly #authorization: readonly string[];
  readonly #lane: Lane;

  /** `api`: of the server; name and password in it are for a proxy before it. */
  constructor({ api, lane }: { api: string; lane: Lane }) {
    const url = new URL(api);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, "");
    this.#authorization = authorizationOf(url);
    this.#lane = lane;
  }

  /** Any status is an answer. Throws {@link SignalFailure} `unreachable`, `unknown`, `too-large` or `dropped`. */
  call(call: RestCall): Promise<RestAnswer> {
    const run = (): Promise<RestAnswer> => this.#make(call);
    return call.lane === "none" ? run() : this.#lane.run({ priority: call.lane, run, isStale: call.isStale });
  }

  async #make({
    method,
    path,
    body,
    timeoutMs,
    maxBytes = defaultMaxBytes,
    onTurn,
    signal,
  }: RestCall): Promise<RestAnswer> {
    if (signal?.aborted) throw new SignalFailure("dropped");
    onTurn?.();
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers = [...this.#authorization, "accept", "*/*"];
    if (body) headers.push("content-type", "application/json");
    let isConnected = false;
    const connect = connectorOf({ timeout: connectTimeoutMs, allowH2: false });
    const client = new Client(this.#origin, {
      pipelining: 0,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (target, callback) =>
        connect(target, (...result) => {
          isConnected = result[0] === null;
          callback(...result);
        }),
    });
    try {
      const answer = await client.request({
        method,
        path: this.#basePath + path,
        headers,
        body: body ? JSON.stringify(body) : null,
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      });
      return { status: answer.statusCode, bytes: await readAll(answer.body, maxBytes) };
    } catch (error) {
      if (error instanceof SignalFailure) throw error;
      // Not as its cause: what undici says may hold a part of the answer.
      throw new SignalFailure(isConnected ? "unknown" : "unreachable");
    } finally {
      await client.destroy();
    }
  }
}

function authorizationOf({ username, password }: URL): string[] {
  if (username === "" && password === "") return [];
  const credential = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return ["authorization", `Basic ${Buffer.from(credential).toString("base64")}`];
}

async function readAll(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const bytes = await readUpTo(body, maxBytes);
  if (!bytes) throw new SignalFailure("too-large");
  return bytes;
}
