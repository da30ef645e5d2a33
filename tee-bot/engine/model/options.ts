/** The engine's options of one text. */
import type { LlamaGrammar, LlamaModel, SequenceEvaluateOptions, Token } from "node-llama-cpp";
import { EngineError } from "../api/engine-error.ts";
import type { Sampling } from "../api/sampling.ts";
import type { LlamaModule } from "./llama.ts";

/** Penalties look back as far as this. */
const maxPunishedTokens = 256;
const neverBelow = -100;

/** `said`: the tokens chosen so far, which penalties look at. */
export function optionsOf(
  llama: LlamaModule,
  model: LlamaModel,
  sampling: Sampling,
  grammar: LlamaGrammar | undefined,
  said: readonly Token[],
): SequenceEvaluateOptions {
  const { temperature, topP, topK, minP, seed, repeatPenalty, frequencyPenalty, presencePenalty } = sampling;
  const tokenBias = biasOf(llama, model, sampling);
  const isPunished = repeatPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0;
  return {
    temperature,
    topP,
    topK,
    minP,
    ...(seed !== undefined && { seed }),
    ...(tokenBias && { tokenBias }),
    ...(grammar && { grammarEvaluationState: new llama.LlamaGrammarEvaluationState({ model, grammar }) }),
    ...(isPunished && {
      repeatPenalty: {
        punishTokens: () => said.slice(-maxPunishedTokens),
        maxPunishTokens: maxPunishedTokens,
        penalty: repeatPenalty,
        frequencyPenalty,
        presencePenalty,
      },
    }),
  };
}

function biasOf(
  { TokenBias }: LlamaModule,
  model: LlamaModel,
  { biases }: Sampling,
): InstanceType<LlamaModule["TokenBias"]> | undefined {
  if (biases.length === 0) return undefined;
  const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
  const result = TokenBias.for(model);
  for (const [token, bias] of biases) {
    if (token >= vocabulary)
      throw new EngineError(
        "invalid_request",
        `There is no token ${token}: the model has ${vocabulary}.`,
        "logit_bias",
      );
    result.set(token as Token, bias <= neverBelow ? "never" : { logit: bias });
  }
  return result;
}
