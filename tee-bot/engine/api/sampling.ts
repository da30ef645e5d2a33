/** How the next token is chosen, as a request says it, and what holds where it does not say. */
import { z } from "zod";

const maxStops = 16;
const maxStopLength = 256;
const maxBiases = 1_024;

const text = z.string().min(1, "must not be empty").max(maxStopLength, `has more than ${maxStopLength} characters`);

/** The fields of any request for text. Clients write `null` for what they leave to the server. */
export const samplingFields = {
  model: z.string("must be the name of a model"),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  /** 0 and -1: of all tokens. */
  top_k: z.int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z
    .union([text, z.array(text).max(maxStops, `has more than ${maxStops} texts`)], "must be a text or a list of texts")
    .nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  repeat_penalty: z.number().positive().max(4).nullish(),
  logit_bias: z
    .record(z.string().regex(/^\d{1,9}$/, "must be the number of a token"), z.number().min(-100).max(100))
    .refine((biases) => Object.keys(biases).length <= maxBiases, `has more than ${maxBiases} tokens`)
    .nullish(),
} as const;

const samplingRequest = z.object(samplingFields);
export type SamplingRequest = z.infer<typeof samplingRequest>;

export interface Sampling {
  /** 0: always the most likely token. */
  readonly temperature: number;
  readonly topP: number;
  /** 0: of all tokens. */
  readonly topK: number;
  readonly minP: number;
  /** Undefined: another one each time. */
  readonly seed: number | undefined;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly repeatPenalty: number;
  /** Token and what is added to its score; -100 and less: never. */
  readonly biases: readonly (readonly [token: number, bias: number])[];
}

/** `general.sampling.*` of a GGUF file: what its makers found best. */
export interface ModelSampling {
  readonly temp?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly penalty_repeat?: number;
}

/** llama.cpp's own. */
const usual = { temp: 0.8, top_p: 0.95, top_k: 40, min_p: 0.05, penalty_repeat: 1 };

export function decideSampling(request: SamplingRequest, model: ModelSampling = {}): Sampling {
  return {
    temperature: request.temperature ?? model.temp ?? usual.temp,
    topP: request.top_p ?? model.top_p ?? usual.top_p,
    topK: Math.max(0, request.top_k ?? model.top_k ?? usual.top_k),
    minP: request.min_p ?? model.min_p ?? usual.min_p,
    // llama.cpp's seeds have 32 bits.
    seed: request.seed === undefined || request.seed === null ? undefined : request.seed >>> 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    presencePenalty: request.presence_penalty ?? 0,
    repeatPenalty: request.repeat_penalty ?? model.penalty_repeat ?? usual.penalty_repeat,
    biases: Object.entries(request.logit_bias ?? {}).map(([token, bias]) => [Number(token), bias]),
  };
}

export function stopsOf({ stop }: SamplingRequest): readonly string[] {
  return typeof stop === "string" ? [stop] : (stop ?? []);
}
