import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, streamText, type ToolSet } from "ai";
import { toolName, toolParameters, usualPrompt, type Client, type ClientOptions, type Told } from "./client.ts";

const offered: ToolSet = { [toolName]: { inputSchema: jsonSchema(toolParameters) } };

export function aiSdkClient({ baseUrl, apiKey = "none", fetch }: ClientOptions): Client {
  const provider = createOpenAICompatible({
    name: "postern",
    baseURL: baseUrl,
    apiKey,
    includeUsage: true,
    ...(fetch && { fetch }),
  });
  return {
    name: "ai",
    async ask({ model, stream, tools = false, signal, headers = {}, prompt = usualPrompt }) {
      const options = {
        model: provider.chatModel(model),
        prompt,
        maxRetries: 0,
        headers,
        ...(signal && { abortSignal: signal }),
        ...(tools && { tools: offered }),
      };
      if (stream) return gather(options);
      const { text, finishReason, usage, toolCalls } = await generateText(options);
      return told(text, finishReason, usage.outputTokens, toolCalls[0]);
    },
  };
}

async function gather(options: Parameters<typeof streamText>[0]): Promise<Told> {
  const { fullStream } = streamText({ ...options, onError: () => {} }); // it would write them to the console
  let text = "";
  let finishReason: string | undefined;
  let completionTokens: number | undefined;
  let call: ToolCall | undefined;
  for await (const part of fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "abort") throw new Error("aborted");
    if (part.type === "text-delta") text += part.text;
    if (part.type === "tool-call") call = part;
    if (part.type !== "finish") continue;
    finishReason = part.finishReason;
    completionTokens = part.totalUsage.outputTokens;
  }
  return told(text, finishReason, completionTokens, call);
}

interface ToolCall {
  readonly toolName: string;
  readonly input: unknown;
}

/** A `finishReason` of `error` is how this client raises what it was told in a stream. */
function told(text: string, finish: string | undefined, tokens: number | undefined, call: ToolCall | undefined): Told {
  if (finish === "error") throw new Error("finishReason: error");
  const finishReason = finish?.replace("-", "_");
  const toolCall = call && { name: call.toolName, arguments: call.input };
  return { text, finishReason, completionTokens: tokens, toolCall };
}
