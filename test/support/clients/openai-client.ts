import { OpenAI } from "openai";
import {
  toolName,
  toolParameters,
  usualPrompt,
  type Client,
  type ClientOptions,
  type Question,
  type Told,
} from "./client.ts";

export function openaiClient({ baseUrl, apiKey = "none", fetch }: ClientOptions): Client {
  const client = new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0, ...(fetch && { fetch }) });
  return {
    name: "openai",
    async ask(question) {
      const { model, stream, signal, headers = {}, prompt = usualPrompt } = question;
      const fields = { model, messages: [{ role: "user" as const, content: prompt }], ...toolsOf(question) };
      const options = { headers, ...(signal && { signal }) };
      if (!stream) return toldBy(await client.chat.completions.create(fields, options));
      const streamed = { ...fields, stream: true as const, stream_options: { include_usage: true } };
      return gather(await client.chat.completions.create(streamed, options));
    },
  };
}

function toolsOf({ tools = false }: Question): { tools?: OpenAI.Chat.ChatCompletionFunctionTool[] } {
  return tools
    ? { tools: [{ type: "function", function: { name: toolName, parameters: { ...toolParameters } } }] }
    : {};
}

function toldBy({ choices, usage }: OpenAI.Chat.ChatCompletion): Told {
  const [choice] = choices;
  const call = choice?.message.tool_calls?.[0];
  return {
    text: choice?.message.content ?? "",
    finishReason: choice?.finish_reason,
    completionTokens: usage?.completion_tokens,
    toolCall:
      call?.type === "function"
        ? { name: call.function.name, arguments: JSON.parse(call.function.arguments) as unknown }
        : undefined,
  };
}

async function gather(chunks: AsyncIterable<OpenAI.Chat.ChatCompletionChunk>): Promise<Told> {
  let [text, toolArguments] = ["", ""];
  let finishReason: string | undefined;
  let completionTokens: number | undefined;
  let name: string | undefined;
  for await (const { choices, usage } of chunks) {
    const [choice] = choices;
    const call = choice?.delta.tool_calls?.[0];
    text += choice?.delta.content ?? "";
    name ??= call?.function?.name;
    toolArguments += call?.function?.arguments ?? "";
    finishReason ??= choice?.finish_reason ?? undefined;
    completionTokens ??= usage?.completion_tokens;
  }
  const toolCall = name === undefined ? undefined : { name, arguments: JSON.parse(toolArguments) as unknown };
  return { text, finishReason, completionTokens, toolCall };
}
