import type { History, HistoryMessage, NewMessage } from "./history.ts";

/** A message as OpenAI's chat completions take it: https://platform.openai.com/docs/api-reference/chat/create */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatMessagesOptions {
  /** Comes first, where there is one; it counts towards no limit. */
  systemPrompt?: string | undefined;
  /** Several people speak: each is called by a number, never by a name, a phone number or an id. */
  isGroup: boolean;
  /** Comes last, and is not kept. */
  question?: Omit<NewMessage, "role">;
}

/** Answers whose questions are gone are left out at the beginning: some models refuse a conversation that starts with one. */
export function chatMessagesOf(
  { messages }: History,
  { systemPrompt, isGroup }: Omit<ChatMessagesOptions, "question">,
): ChatMessage[] {
  const start = messages.findIndex(({ role }) => role === "user");
  const said = start === -1 ? [] : messages.slice(start);
  const chat = said.map((one) => ({ role: one.role, content: isGroup ? namedContent(one) : one.content }));
  return systemPrompt ? [{ role: "system", content: systemPrompt }, ...chat] : chat;
}

function namedContent({ role, member, content }: HistoryMessage): string {
  return role === "user" ? `Member ${member}: ${content}` : content;
}
