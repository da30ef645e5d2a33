/**
 * The calls of signal-cli-rest-api by which the bot speaks in Signal; those that concern keys are in
 * `identity-api.ts`. All throw {@link SignalFailure}, and none repeats itself.
 */
import { z } from "zod";
import { readAnswer, requireSuccess, sentSchema, type SentMessage } from "./answers.ts";
import type { RestCall, RestClient } from "./rest-client.ts";
import type { SendBody } from "./send-body.ts";

/** What a call may last, at most. Everything else waits for it, except where it does not go through signal-cli. */
export interface CallLimits {
  /** A message to a large group, or with a file, takes its time. */
  sendMs: number;
  /** Typing, receipts, reactions: worth little, so they may not hold up much. */
  smallMs: number;
  /** What shows whether the server works. */
  probeMs: number;
  attachmentMs: number;
}

export const usualCallLimits: CallLimits = {
  sendMs: 60_000,
  smallMs: 10_000,
  probeMs: 10_000,
  attachmentMs: 60_000,
};

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** When its turn has come, before anything is sent. */
  onTurn?: (() => void) | undefined;
  /** Whether it can be left out when its turn has come. */
  isStale?: (() => boolean) | undefined;
}

export class SignalApi {
  readonly #client: RestClient;
  readonly #limits: CallLimits;

  constructor({ client, limits = usualCallLimits }: { client: RestClient; limits?: CallLimits | undefined }) {
    this.#client = client;
    this.#limits = limits;
  }

  /** Both forms of its answer. `unknown`: it may have gone out. */
  async send(body: SendBody, options: CallOptions = {}): Promise<SentMessage> {
    const timeoutMs = this.#limits.sendMs;
    const call: RestCall = { method: "POST", path: "/v2/send", body, timeoutMs, lane: "call", ...options };
    return readAnswer(await this.#client.call(call), sentSchema);
  }

  /** People see it for 15 s, or until a message comes. */
  async typing(account: string, recipient: string, isOn: boolean, options: CallOptions = {}): Promise<void> {
    const path = `/v1/typing-indicator/${encodeURIComponent(account)}`;
    await this.#small({ method: isOn ? "PUT" : "DELETE", path, body: { recipient }, lane: "typing", ...options });
  }

  async markRead(account: string, person: string, timestamp: number, options: CallOptions = {}): Promise<void> {
    const path = `/v1/receipts/${encodeURIComponent(account)}`;
    const body = { recipient: person, receipt_type: "read", timestamp };
    await this.#small({ method: "POST", path, body, lane: "receipt", ...options });
  }

  /** A file of the server's own disk. */
  async attachment(id: string, maxBytes: number, { signal }: CallOptions = {}): Promise<Uint8Array> {
    const path = attachmentPath(id);
    const timeoutMs = this.#limits.attachmentMs;
    const answer = await this.#client.call({ method: "GET", path, timeoutMs, maxBytes, lane: "none", signal });
    requireSuccess(answer);
    return answer.bytes;
  }

  async deleteAttachment(id: string): Promise<void> {
    await this.#small({ method: "DELETE", path: attachmentPath(id), lane: "none" });
  }

  /** The numbers it has; asks signal-cli, and so shows whether the whole works. */
  async accounts(options: CallOptions = {}): Promise<string[]> {
    const timeoutMs = this.#limits.probeMs;
    const call: RestCall = { method: "GET", path: "/v1/accounts", timeoutMs, lane: "call", ...options };
    return readAnswer(await this.#client.call(call), z.array(z.string()));
  }

  async #small(call: Omit<RestCall, "timeoutMs">): Promise<void> {
    requireSuccess(await this.#call(call));
  }

  #call(call: Omit<RestCall, "timeoutMs">): ReturnType<RestClient["call"]> {
    return this.#client.call({ ...call, timeoutMs: this.#limits.smallMs });
  }
}

function attachmentPath(id: string): string {
  return `/v1/attachments/${encodeURIComponent(id)}`;
}
