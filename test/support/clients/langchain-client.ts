import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { toolName, toolParameters, usualPrompt, type Client, type ClientOptions, type Told } from "./client.ts";

export function langchainClient({ baseUrl, apiKey = "none", fetch }: ClientOptions): Client {
  return {
    name: "langchain",
    async ask({ model, stream, tools = false, signal, headers = {}, prompt = usualPrompt }) {
      const chat = new ChatOpenAI({
        model,
        apiKey,
        maxRetries: 0,
        streamUsage: true,
        configuration: { baseURL: baseUrl, defaultHeaders: headers, ...(fetch && { fetch }) },
      });
      const offered = { type: "function", function: { name: toolName, parameters: { ...toolParameters } } } as const;
      const runnable = tools ? chat.bindTools([offered]) : chat;
      const options = signal ? { signal } : {};
      if (!stream) return toldBy(await runnable.invoke(prompt, options));
      let whole: AIMessageChunk | undefined;
      for await (const chunk of await runnable.stream(prompt, options)) whole = whole ? whole.concat(chunk) : chunk;
      if (!whole) throw new Error("The stream had nothing in it.");
      return toldBy(whole);
    },
  };
}

function toldBy({ text, response_metadata, usage_metadata, tool_calls }: Message): Told {
  const [call] = tool_calls ?? [];
  const finish = (response_metadata as { finish_reason?: unknown }).finish_reason;
  return {
    text,
    finishReason: typeof finish === "string" ? finish : undefined,
    completionTokens: usage_metadata?.output_tokens,
    toolCall: call && { name: call.name, arguments: call.args },
  };
}

/** What of a message is looked at here; the type itself is one of many parameters. */
interface Message {
  readonly text: string;
  readonly response_metadata: object;
  readonly usage_metadata?: { readonly output_tokens: number } | undefined;
  readonly tool_calls?: readonly { readonly name: string; readonly args: unknown }[] | undefined;
}
