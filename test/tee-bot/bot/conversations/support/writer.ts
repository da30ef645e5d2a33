/** A process of its own that says things in conversations: node writer.ts <JSON of WriterTask>. */
import { randomUUID } from "node:crypto";
import { systemClock } from "../../../../../shared/clock.ts";
import { silentLog } from "../../../../../shared/log.ts";
import { openConversations } from "../../../../../tee-bot/bot/conversations/open-conversations.ts";

export interface WriterTask {
  folder: string;
  redisUrl: string | undefined;
  storageKey: string;
  conversation: string;
  messages: number;
}

const { folder, redisUrl, storageKey, conversation, messages } = JSON.parse(process.argv[2] ?? "") as WriterTask;
using store = openConversations({
  folder,
  redisUrl,
  mode: "durable",
  storageKey: Buffer.from(storageKey, "base64"),
  limits: { maxMessages: 1_000, ttlMs: 3_600_000 },
  clock: systemClock,
  log: silentLog,
});
const person = randomUUID();
for (let n = 0; n < messages; n++)
  await store.append(conversation, { role: "user", person, content: `${person} ${n}`, timestamp: n });
