/**
 * Goes and gets what the webhook may have missed, from when the bot's number is known: by a WebSocket in json-rpc mode, by polls in
 * the others, which have no webhook. Each message is known by its name, so that it does no harm if it comes both ways.
 */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { fetchMode, pollMessages, type Fetch } from "./rest-look.ts";
import { listenOnce } from "./websocket.ts";

export interface FetchingOptions {
  /** Of the REST server. */
  api: string;
  /** Of one message. */
  onParams: (params: unknown, bytes: number) => void;
  useWebSocket: boolean;
  fetch: Fetch;
  clock: Clock;
  log: Log;
  random: () => number;
}

export type FetchingState =
  /** The bot's number is not known yet, or the webhook is all that is wanted. */
  "off" | "connecting" | "listening" | "polling";

const backoff = { baseMs: 500, maxMs: 30_000 };
/** From the end of a poll to the next one: sends have to go in between. */
const pollEveryMs = 2_000;

export class Fetching {
  readonly #options: FetchingOptions;
  #state: FetchingState = "off";
  #failures = 0;

  constructor(options: FetchingOptions) {
    this.#options = options;
  }

  get state(): FetchingState {
    return this.#state;
  }

  /** Until `signal`. */
  async run(account: string, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    while (!signal.aborted) {
      const why = await this.#once(account, signal).catch(errorText);
      if (signal.aborted || why === undefined) break;
      if (this.#failures === 0) log.warn("fetching.lost", { why });
      this.#state = "connecting";
      await clock.sleep(decideBackoffMs(this.#failures++, { ...backoff, random }), signal).catch(() => {});
    }
    this.#state = "off";
  }

  /** Why it ended; undefined: there is nothing to fetch. */
  async #once(account: string, signal: AbortSignal): Promise<string | undefined> {
    const { api, fetch, useWebSocket, onParams } = this.#options;
    this.#state = "connecting";
    if ((await fetchMode(api, fetch, signal)) !== "json-rpc") return this.#poll(account, signal);
    if (!useWebSocket) return undefined;
    const onOpen = (): void => this.#begin("listening");
    return listenOnce({ api, account, onParams, onOpen }, signal);
  }

  async #poll(account: string, signal: AbortSignal): Promise<string> {
    const { api, fetch, onParams, clock } = this.#options;
    while (!signal.aborted) {
      const messages = await pollMessages(api, account, fetch, signal);
      if (this.#state !== "polling") this.#begin("polling");
      for (const params of messages) onParams(params, JSON.stringify(params).length);
      await clock.sleep(pollEveryMs, signal).catch(() => {});
    }
    return "stopped";
  }

  #begin(state: "listening" | "polling"): void {
    this.#state = state;
    this.#failures = 0;
    this.#options.log.info("fetching.begun", { by: state });
  }
}
