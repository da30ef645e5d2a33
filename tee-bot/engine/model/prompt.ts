/** Messages → the tokens that the model's chat template makes of them. What people wrote never becomes a special token. */
import type { ChatHistoryItem, ChatWrapper, LlamaModel, LlamaText, Token } from "node-llama-cpp";
import { textOf, type ChatMessage } from "../api/chat-request.ts";
import { EngineError } from "../api/engine-error.ts";

export interface Prompt {
  readonly tokens: readonly Token[];
  readonly stopTokens: ReadonlySet<Token>;
  readonly stops: readonly string[];
}

export function chatPrompt(messages: readonly ChatMessage[], model: LlamaModel, wrapper: ChatWrapper): Prompt {
  const { contextText, stopGenerationTriggers } = contextOf(historyOf(messages), wrapper);
  return { tokens: contextText.tokenize(model.tokenizer), ...stopsOf(stopGenerationTriggers, model) };
}

/** A text to be continued as it stands. */
export function textPrompt(text: string, model: LlamaModel): Prompt {
  const { bos, shouldPrependBosToken } = model.tokens;
  const tokens = model.tokenize(text, false);
  const begin = shouldPrependBosToken && bos !== null ? [bos] : [];
  return { tokens: [...begin, ...tokens], stopTokens: new Set(), stops: [] };
}

function contextOf(
  chatHistory: ChatHistoryItem[],
  wrapper: ChatWrapper,
): ReturnType<ChatWrapper["generateContextState"]> {
  try {
    return wrapper.generateContextState({ chatHistory });
  } catch (error) {
    // A template may refuse what it was not made for: two users in a row, a system message.
    throw new EngineError(
      "invalid_request",
      "The model's chat template does not take these messages in this order.",
      "messages",
      { cause: error },
    );
  }
}

/** The last item is the answer to be made; what stands last from the assistant is its beginning. */
function historyOf(messages: readonly ChatMessage[]): ChatHistoryItem[] {
  const items = messages.map((message): ChatHistoryItem => {
    const text = textOf(message);
    if (message.role === "assistant") return { type: "model", response: [text] };
    return message.role === "user" ? { type: "user", text } : { type: "system", text };
  });
  return items.at(-1)?.type === "model" ? items : [...items, { type: "model", response: [] }];
}

function stopsOf(triggers: readonly LlamaText[], model: LlamaModel): Omit<Prompt, "tokens"> {
  const stopTokens = new Set<Token>();
  const stops: string[] = [];
  for (const trigger of triggers) {
    const tokens = trigger.tokenize(model.tokenizer);
    const [only] = tokens;
    if (tokens.length === 1 && only !== undefined) stopTokens.add(only);
    else if (tokens.length > 1) stops.push(model.detokenize(tokens, false).trim());
  }
  return { stopTokens, stops: stops.filter((stop) => stop !== "") };
}
