/**
 * The shapes of OpenAI's API as JSON Schemas: what a client that follows the public reference may rely on. More fields are
 * always allowed, but in errors.
 * https://platform.openai.com/docs/api-reference
 */
import { Ajv } from "ajv";

type Schema = Readonly<Record<string, unknown>>;

const text = { type: "string" };
const words = { type: "string", minLength: 1 };
const count = { type: "integer", minimum: 0 };
const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
const list = (items: Schema, more: Schema = {}): Schema => ({ type: "array", items, ...more });
const exactly = (value: string): Schema => ({ const: value });
const oneOf = (...values: readonly string[]): Schema => ({ enum: values });

/** All of these fields are required. */
function object(properties: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return { type: "object", required: Object.keys(properties), properties: { ...properties, ...optional } };
}

const finishReason = oneOf("stop", "length", "tool_calls", "content_filter", "function_call");
const usage = object({ prompt_tokens: count, completion_tokens: count, total_tokens: count });
const toolCall = object({
  id: words,
  type: exactly("function"),
  function: object({ name: words, arguments: text }),
});

const chatCompletion = object(
  {
    id: words,
    object: exactly("chat.completion"),
    created: count,
    model: words,
    choices: list(
      object({
        index: count,
        message: object(
          { role: exactly("assistant"), content: nullable(text), refusal: nullable(text) },
          { tool_calls: list(toolCall, { minItems: 1 }) },
        ),
        logprobs: nullable({ type: "object" }),
        finish_reason: finishReason,
      }),
      { minItems: 1 },
    ),
  },
  { usage },
);

const toolCallPiece = object(
  { index: count },
  { id: words, type: exactly("function"), function: object({}, { name: text, arguments: text }) },
);
const chatChunk = object(
  {
    id: words,
    object: exactly("chat.completion.chunk"),
    created: count,
    model: words,
    choices: list(
      object(
        {
          index: count,
          delta: object(
            {},
            {
              role: exactly("assistant"),
              content: nullable(text),
              tool_calls: list(toolCallPiece, { minItems: 1 }),
            },
          ),
          finish_reason: nullable(finishReason),
        },
        { logprobs: nullable({ type: "object" }) },
      ),
    ),
  },
  { usage: nullable(usage) },
);

/** Also the shape of each event of its stream. */
const completion = object(
  {
    id: words,
    object: exactly("text_completion"),
    created: count,
    model: words,
    choices: list(
      object({
        index: count,
        text,
        logprobs: nullable({ type: "object" }),
        finish_reason: nullable(oneOf("stop", "length", "content_filter")),
      }),
    ),
  },
  { usage },
);

const embeddings = object({
  object: exactly("list"),
  model: words,
  data: list(
    object({
      object: exactly("embedding"),
      index: count,
      embedding: { anyOf: [list({ type: "number" }, { minItems: 1 }), words] }, // base64, when that is asked for
    }),
    { minItems: 1 },
  ),
  usage: object({ prompt_tokens: count, total_tokens: count }),
});

const outputItem = object(
  { id: words, type: words },
  {
    role: exactly("assistant"),
    status: oneOf("in_progress", "completed", "incomplete"),
    content: list(object({ type: words })),
  },
);
const response = object({
  id: words,
  object: exactly("response"),
  created_at: { type: "number" },
  status: oneOf("completed", "failed", "in_progress", "cancelled", "queued", "incomplete"),
  error: nullable(object({ code: words, message: text })),
  incomplete_details: nullable({ type: "object" }),
  instructions: {},
  metadata: nullable({ type: "object" }),
  model: words,
  output: list(outputItem),
  parallel_tool_calls: { type: "boolean" },
  temperature: nullable({ type: "number" }),
  tool_choice: {},
  tools: list({ type: "object" }),
  top_p: nullable({ type: "number" }),
});
const responseEvent = {
  ...object({ type: words, sequence_number: count }, { response, item: outputItem, delta: text }),
  anyOf: [
    {
      properties: { type: { pattern: "^response\\.(created|in_progress|completed|incomplete|failed)$" } },
      required: ["response"],
    },
    { properties: { type: { pattern: "^response\\.output_item\\." } }, required: ["output_index", "item"] },
    {
      properties: { type: { pattern: "^response\\.(content_part|output_text)\\." } },
      required: ["item_id", "output_index", "content_index"],
    },
  ],
};

const model = object({ id: words, object: exactly("model"), created: count, owned_by: words });
const models = object({ object: exactly("list"), data: list(model) });

const error = {
  ...object({
    error: {
      ...object({ message: words, type: words, param: nullable(text), code: nullable(text) }),
      additionalProperties: false,
    },
  }),
  additionalProperties: false,
};

const ajv = new Ajv({ allErrors: true, strictTypes: false, strictRequired: false });
const validators = {
  chatCompletion: ajv.compile(chatCompletion),
  chatChunk: ajv.compile(chatChunk),
  completion: ajv.compile(completion),
  embeddings: ajv.compile(embeddings),
  response: ajv.compile(response),
  responseEvent: ajv.compile(responseEvent),
  model: ajv.compile(model),
  models: ajv.compile(models),
  error: ajv.compile(error),
};

export type Shape = keyof typeof validators;

/** What is wrong with a value, one line for each mistake; none: it has the shape. */
export function faultsOf(shape: Shape, value: unknown): string[] {
  const validate = validators[shape];
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = "" }) => `${shape}${instancePath} ${message}`);
}

/** The JSON values of a stream, without `[DONE]`. */
export function eventsOf(stream: string): unknown[] {
  return stream
    .split("\n\n")
    .map((event) =>
      event
        .split("\n")
        .find((line) => line.startsWith("data: "))
        ?.slice("data: ".length),
    )
    .filter((data) => data !== undefined && data !== "[DONE]")
    .map((data): unknown => JSON.parse(data as string));
}
