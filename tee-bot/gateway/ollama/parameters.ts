import type { ProviderKind } from "../providers/provider.ts";
import type { CommonFields } from "./fields.ts";

/** Runners that know more ways to sample than OpenAI's API has names for; others refuse what they do not know. */
const samplers: ReadonlySet<ProviderKind> = new Set(["embedded", "lm-studio"]);

/** OpenAI's names of what Ollama has in `options`, `format` and `think`. What only an Ollama has, such as `num_ctx`, is left out. */
export function parametersOf({ options, format, think }: CommonFields, kind: ProviderKind): Record<string, unknown> {
  const { num_predict: limit } = options ?? {};
  return present({
    temperature: options?.temperature,
    top_p: options?.top_p,
    seed: options?.seed,
    stop: options?.stop,
    presence_penalty: options?.presence_penalty,
    frequency_penalty: options?.frequency_penalty,
    max_tokens: typeof limit === "number" && limit > 0 ? limit : undefined, // -1: no limit
    ...(samplers.has(kind) && {
      top_k: options?.top_k,
      min_p: options?.min_p,
      repeat_penalty: options?.repeat_penalty,
    }),
    response_format: responseFormat(format),
    reasoning_effort: typeof think === "string" ? think : undefined,
  });
}

/** Without what is not set. */
export function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function responseFormat(format: CommonFields["format"]): object | undefined {
  if (format === "json") return { type: "json_object" };
  if (typeof format !== "object" || format === null) return undefined;
  return { type: "json_schema", json_schema: { name: "answer", strict: true, schema: format } };
}
