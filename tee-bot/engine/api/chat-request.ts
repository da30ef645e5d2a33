import { z } from "zod";
import { responseFormat } from "./response-format.ts";
import { samplingFields } from "./sampling.ts";

const textPart = z.object(
  { type: z.literal("text", "the embedded engine reads text only"), text: z.string() },
  "must be a part with a type",
);
const content = z.union([z.string(), z.array(textPart)], "must be a text, or a list of parts of text");

const message = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.enum(["system", "developer", "user"]), content }),
    z.object({
      role: z.literal("assistant"),
      content: content.nullish(),
      tool_calls: z.array(z.never("the embedded engine cannot call tools")).nullish(),
    }),
  ],
  "must have the role system, developer, user or assistant",
);

export const chatRequest = z.object({
  ...samplingFields,
  messages: z.array(message).min(1, "must not be empty"),
  max_completion_tokens: z.int().min(1).nullish(),
  response_format: responseFormat.nullish(),
});

export type ChatRequest = z.infer<typeof chatRequest>;
export type ChatMessage = ChatRequest["messages"][number];

export function textOf({ content: said }: ChatMessage): string {
  if (typeof said === "string") return said;
  return (said ?? []).map(({ text }) => text).join("\n");
}
