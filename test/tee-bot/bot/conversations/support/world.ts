import { randomBytes } from "node:crypto";
import { systemClock, type Clock } from "../../../../../shared/clock.ts";
import type { ConversationStore } from "../../../../../tee-bot/bot/conversations/conversation-store.ts";
import type { NewMessage } from "../../../../../tee-bot/bot/conversations/history.ts";
import {
  openConversations,
  type OpenConversationsOptions,
} from "../../../../../tee-bot/bot/conversations/open-conversations.ts";
import type { Refusal } from "../../../../../tee-bot/store/sealed-records.ts";
import { temporaryFolder } from "../../../../shared/temporary-folder.ts";
import { recordingLog } from "../../../support/log.ts";

export interface ConversationWorld extends Disposable {
  readonly folder: string;
  readonly storageKey: Uint8Array;
  readonly log: ReturnType<typeof recordingLog>;
  readonly refusals: [Refusal, string | undefined][];
  /** Moves the clock that decides what expires; sleeps are real. */
  advance(ms: number): void;
  /** Opens a store; several may be open at once. */
  open(options?: Partial<OpenConversationsOptions>): ConversationStore;
}

export function conversationWorld({ redisUrl }: { redisUrl?: string | undefined }): ConversationWorld {
  const stack = new DisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const storageKey = randomBytes(32);
  const log = recordingLog();
  const refusals: [Refusal, string | undefined][] = [];
  let offsetMs = 0;
  const clock: Clock = {
    now: () => systemClock.now() + offsetMs,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
  const onRefused = (...refused: [Refusal, string | undefined]): void => void refusals.push(refused);
  return {
    folder,
    storageKey,
    log,
    refusals,
    advance: (ms) => void (offsetMs += ms),
    open: (options) =>
      stack.use(
        openConversations({ folder, redisUrl, mode: "durable", storageKey, clock, log, onRefused, ...options }),
      ),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

/** What somebody says at a time. */
export function said(timestamp: number, more: Partial<NewMessage> = {}): NewMessage {
  return { role: "user", person: "ada", content: `message ${timestamp}`, timestamp, ...more };
}

/** What a conversation holds, in order. */
export async function contentsOf(store: ConversationStore, conversation: string): Promise<string[]> {
  return (await store.messages(conversation, { isGroup: false })).map(({ content }) => content);
}
