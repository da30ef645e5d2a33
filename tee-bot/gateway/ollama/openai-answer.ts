/** What is read of answers in OpenAI's form. Lenient: providers add and leave out. */
import { z } from "zod";

const text = z.string().nullish().catch(undefined);
const count = z.number().optional().catch(undefined);

const toolCallPart = z.object({
  index: z.number().optional().catch(undefined),
  id: text,
  function: z.object({ name: text, arguments: text }).optional().catch(undefined),
});

const said = z
  .object({
    content: text,
    reasoning_content: text,
    reasoning: text,
    tool_calls: z.array(toolCallPart).nullish().catch(undefined),
  })
  .nullish()
  .catch(undefined);

const choice = z.object({ message: said, delta: said, text, finish_reason: text });

const usage = z.object({ prompt_tokens: count, completion_tokens: count }).nullish().catch(undefined);

export const openAiAnswer = z.object({
  choices: z.array(choice).nullish().catch(undefined),
  usage,
  error: z.unknown().optional(),
});

export const openAiEmbeddings = z.object({
  data: z.array(z.object({ index: count, embedding: z.array(z.number()) })),
  usage,
});

export type Choice = z.infer<typeof choice>;
export type ToolCallPart = z.infer<typeof toolCallPart>;
export type Usage = z.infer<typeof usage>;

/** The words of an error: `{error: {message}}` as OpenAI has it, `{error: "…"}` as Ollama. */
export function errorTextOf(value: unknown): string | undefined {
  const error = typeof value === "object" && value !== null ? (value as { error?: unknown }).error : undefined;
  if (typeof error === "string") return error;
  const message = typeof error === "object" && error !== null ? (error as { message?: unknown }).message : undefined;
  if (typeof message === "string") return message;
  return error === undefined || error === null ? undefined : "The provider gave an error without words.";
}
