import { expect, it } from "vitest";
import { chatMessagesOf } from "../../../../tee-bot/bot/conversations/chat-messages.ts";
import type { HistoryMessage } from "../../../../tee-bot/bot/conversations/history.ts";

const message = (role: HistoryMessage["role"], member: number, content: string): HistoryMessage => ({
  role,
  person: `5f1d0c1e-person-${member}`,
  member,
  content,
  timestamps: [1],
  expiresAt: 1,
});
const messages = [
  message("assistant", 1, "an answer whose question is gone"),
  message("user", 1, "hello"),
  message("assistant", 1, "good day"),
  message("user", 2, "me too"),
];

it("a conversation becomes what a model is asked with: the system prompt, then from the first question on", () => {
  expect(chatMessagesOf({ messages }, { systemPrompt: "Be brief.", isGroup: false })).toEqual([
    { role: "system", content: "Be brief." },
    { role: "user", content: "hello" },
    { role: "assistant", content: "good day" },
    { role: "user", content: "me too" },
  ]);
});

it("people of a group are told apart by numbers, and nothing else of them is told", () => {
  const chat = chatMessagesOf({ messages }, { isGroup: true });
  expect(chat.map(({ content }) => content)).toEqual(["Member 1: hello", "good day", "Member 2: me too"]);
  expect(JSON.stringify(chat)).not.toContain("5f1d0c1e");
});

it("a conversation without a question has the system prompt only, or nothing", () => {
  expect(chatMessagesOf({ messages: messages.slice(0, 1) }, { isGroup: false })).toEqual([]);
  expect(chatMessagesOf({ messages: [] }, { systemPrompt: "Be brief.", isGroup: false })).toHaveLength(1);
});
