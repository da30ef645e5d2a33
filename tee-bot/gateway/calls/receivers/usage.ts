/** Tokens as a provider counted them, found in the bytes of its answer without parsing all of it. */
import type { Tokens } from "../../tracking/track.ts";

const usageField = '"usage"';
const maxUsageLength = 2_048;
const bytesPerToken = 4;

/** `text`: the answer or its last part. Undefined: it has no count. */
export function readUsage(text: string): Tokens | undefined {
  for (let at = text.lastIndexOf(usageField); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(usageField, at - 1)) {
    const part = text.slice(at + usageField.length, at + usageField.length + maxUsageLength);
    if (!/^\s*:\s*\{/.test(part)) continue; // `"usage": null` in every event but the last
    const prompt = /"(?:prompt|input)_tokens"\s*:\s*(\d+)/.exec(part)?.[1];
    const completion = /"(?:completion|output)_tokens"\s*:\s*(\d+)/.exec(part)?.[1];
    if (prompt !== undefined || completion !== undefined) return counted(prompt, completion);
  }
  const prompt = /"prompt_eval_count"\s*:\s*(\d+)/.exec(text)?.[1]; // Ollama's own API
  const completion = /"eval_count"\s*:\s*(\d+)/.exec(text)?.[1];
  return prompt !== undefined || completion !== undefined ? counted(prompt, completion) : undefined;
}

/** Of an answer that is parsed. */
export function countedTokens(answer: object): Tokens | undefined {
  const { usage, prompt_eval_count, eval_count } = answer as Record<string, unknown>;
  const { prompt_tokens, input_tokens, completion_tokens, output_tokens } = (usage ?? {}) as Record<string, unknown>;
  const prompt = prompt_tokens ?? input_tokens ?? prompt_eval_count;
  const completion = completion_tokens ?? output_tokens ?? eval_count;
  return isCount(prompt) || isCount(completion) ? counted(prompt, completion) : undefined;
}

const isCount = (value: unknown): value is number => typeof value === "number" && value >= 0;

/** For an answer of so many bytes that says nothing of its tokens. */
export function estimateTokens(prompt: number, answerBytes: number): Tokens {
  return { prompt, completion: Math.ceil(answerBytes / bytesPerToken), estimated: true };
}

function counted(prompt: unknown, completion: unknown): Tokens {
  return { prompt: Math.floor(Number(prompt ?? 0)), completion: Math.floor(Number(completion ?? 0)), estimated: false };
}
