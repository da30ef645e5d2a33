import { doneReason, nanoseconds, pieceOf, type AnswerFacts } from "./answer-shape.ts";
import { errorTextOf, openAiAnswer, openAiEmbeddings } from "./openai-answer.ts";
import { ToolCalls } from "./tool-calls.ts";

/** A whole answer of OpenAI's API as one of Ollama's; an error when it is not what that API promises. */
export function translateAnswer(facts: AnswerFacts, body: Buffer): object | Error {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return new Error("The provider's answer is not JSON.");
  }
  const error = errorTextOf(value);
  if (error !== undefined) return new Error(error);
  return facts.kind === "chat" || facts.kind === "generate" ? generated(facts, value) : embedded(facts, value);
}

const unexpected = (): Error => new Error("The provider's answer is not what its API promises.");

function generated(facts: AnswerFacts, value: unknown): object | Error {
  const { data } = openAiAnswer.safeParse(value);
  const [choice] = data?.choices ?? [];
  if (!choice) return unexpected();
  const { message, text, finish_reason: reason } = choice;
  const tools = new ToolCalls();
  tools.add(message?.tool_calls ?? []);
  const toolCalls = tools.finish();
  if (toolCalls instanceof Error) return toolCalls;
  const said = message?.content ?? text ?? "";
  const thinking = message?.reasoning_content ?? message?.reasoning ?? "";
  const usage = data?.usage;
  return pieceOf(
    facts,
    { text: said, thinking, ...(toolCalls && { toolCalls }) },
    {
      reason: doneReason(reason ?? undefined),
      prompt: usage?.prompt_tokens ?? facts.estimatedPromptTokens,
      completion: usage?.completion_tokens ?? 0,
      firstTokenAt: undefined,
    },
  );
}

function embedded(facts: AnswerFacts, value: unknown): object | Error {
  const { data } = openAiEmbeddings.safeParse(value);
  const vectors = data?.data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ embedding }) => embedding);
  if (!vectors?.[0]) return unexpected();
  if (facts.kind === "embeddings") return { embedding: vectors[0] };
  return {
    model: facts.model,
    embeddings: vectors,
    total_duration: nanoseconds(facts.now() - facts.startedAt),
    load_duration: 0,
    prompt_eval_count: data?.usage?.prompt_tokens ?? facts.estimatedPromptTokens,
  };
}
