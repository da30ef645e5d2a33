/** Calls in Ollama's form, as far as they mean something to other providers. Unknown fields are the caller's affair. */
import { z } from "zod";
import { ApiError } from "../api/api-error.ts";

const flag = z.boolean().nullish();
const images = z.array(z.string()).nullish();

const options = z
  .object({
    temperature: z.number().nullish(),
    top_p: z.number().nullish(),
    top_k: z.number().nullish(),
    min_p: z.number().nullish(),
    seed: z.number().nullish(),
    num_predict: z.number().nullish(),
    stop: z.union([z.string(), z.array(z.string())]).nullish(),
    presence_penalty: z.number().nullish(),
    frequency_penalty: z.number().nullish(),
    repeat_penalty: z.number().nullish(),
  })
  .nullish();

const common = {
  stream: flag,
  options,
  /** `json`, or a JSON schema. */
  format: z.union([z.literal(["", "json"]), z.record(z.string(), z.unknown())]).nullish(),
  /** Seconds, or a duration such as `5m`; 0 unloads. */
  keep_alive: z.union([z.string(), z.number()]).nullish(),
  think: z.union([z.boolean(), z.string()]).nullish(),
};

const toolCall = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()).nullish() }),
});

const message = z.object({
  role: z.string(),
  content: z.string().nullish(),
  images,
  tool_calls: z.array(toolCall).nullish(),
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});

export const chatFields = z.object({
  ...common,
  messages: z.array(message).nullish(),
  tools: z.array(z.record(z.string(), z.unknown())).nullish(),
});

export const generateFields = z.object({
  ...common,
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  template: z.string().nullish(),
  context: z.array(z.number()).nullish(),
  raw: flag,
  images,
});

export const embedFields = z.object({
  input: z.union([z.string(), z.array(z.string())]),
  dimensions: z.int().nullish(),
});

export const embeddingsFields = z.object({ prompt: z.string() });

export type Options = z.infer<typeof options>;
export type CommonFields = Pick<z.infer<typeof chatFields>, keyof typeof common>;
export type Message = z.infer<typeof message>;
export type ChatFields = z.infer<typeof chatFields>;
export type GenerateFields = z.infer<typeof generateFields>;

/** Throws {@link ApiError} `invalid_request`, which names the field and quotes nothing of it. */
export function parseFields<T>(schema: z.ZodType<T>, body: Buffer): T {
  const parsed = schema.safeParse(JSON.parse(body.toString()));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "";
  throw new ApiError("invalid_request", `\`${field}\` is not of the form that Ollama's API has for it.`, {
    param: field,
  });
}
