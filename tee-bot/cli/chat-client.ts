/** One person's conversation with the bot, through the people API of the simulator. */
import { z } from "zod";
import { readBytes } from "../../shared/bytes.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";

const messageSchema = z.object({
  /** `you`, `bot`, or the name of another member of the group. */
  from: z.string(),
  timestamp: z.number(),
  text: z.string(),
  styles: z.array(z.string()),
  edited: z.boolean(),
  deleted: z.boolean(),
  attachments: z.array(z.object({ id: z.string(), filename: z.string().nullable(), size: z.number() })),
});
const conversationSchema = z.object({ messages: z.array(messageSchema), typing: z.boolean() });
const sentSchema = z.object({ timestamp: z.number() });

export type ShownMessage = z.infer<typeof messageSchema>;
export type Conversation = z.infer<typeof conversationSchema>;

export interface ChatClient {
  read(): Promise<Conversation>;
  /** The message's timestamp. */
  send(text: string): Promise<number>;
  /** Tells of changes until the signal aborts; connects again by itself. `onLink`: whether the simulator is there. */
  watch(onChange: () => void, onLink: (isUp: boolean) => void): Promise<void>;
  addressOf(attachment: { id: string }): string;
}

const timeoutMs = 10_000;
const againMs = 1_000;
const maxConversationBytes = 64 * 1024 * 1024;

export interface ChatPlace {
  /** Of the simulator. */
  readonly url: string;
  readonly from: string;
  readonly group: string | undefined;
}

/** Each call throws {@link AppError} when the simulator is away or refuses. */
export function openChat(
  { url, from, group }: ChatPlace,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): ChatClient {
  const place = { from, ...(group !== undefined && { group }) };
  const query = `?${new URLSearchParams(place).toString()}`;
  const at = (path: string): URL => new URL(path, url);

  async function ask<T>(form: z.ZodType<T>, path: string, init: RequestInit): Promise<T> {
    let response: Response;
    let bytes: Uint8Array | undefined;
    try {
      response = await fetch(at(path), { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
      bytes = await readBytes(response, maxConversationBytes);
    } catch (error) {
      signal.throwIfAborted();
      throw new AppError("upstream-unavailable", `No simulator answers at ${url}: ${errorText(error)}`, {
        cause: error,
      });
    }
    const read = form.safeParse(parse(bytes));
    if (response.ok && read.success) return read.data;
    throw new AppError("bad-request", `${url} answered ${response.status} to ${path}.`);
  }

  return {
    read: () => ask(conversationSchema, `/messages${query}`, {}),
    send: async (text) => {
      const body = JSON.stringify({ ...place, text });
      const headers = { "content-type": "application/json" };
      return (await ask(sentSchema, "/messages", { method: "POST", headers, body })).timestamp;
    },
    watch: async (onChange, onLink) => {
      while (!signal.aborted) {
        try {
          const response = await fetch(at(`/messages/events${query}`), { signal });
          if (!response.ok || !response.body) throw new Error(`${response.status}`);
          onLink(true);
          onChange(); // what came while nobody listened
          for await (const part of response.body) if (new TextDecoder().decode(part) !== comment) onChange();
        } catch {
          if (signal.aborted) return;
        }
        onLink(false);
        await clock.sleep(againMs, signal).catch(() => {});
      }
    },
    addressOf: ({ id }) => at(`/messages/attachments/${encodeURIComponent(id)}`).href,
  };
}

/** Says only that the stream lives. */
const comment = ":\n\n";

function parse(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
