/** Answers with a status that is no success, or a success that is none. */
import type { Behaviour } from "../behaviour.ts";
import type { Headers } from "../reply.ts";

export interface RefusalFields {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | null;
  readonly param?: string | null;
  readonly headers?: Headers;
}

/** OpenAI's form of an error. */
export function refusing(status: number, fields: RefusalFields = {}): Behaviour {
  const {
    message = `The stand-in says ${status}.`,
    type = "server_error",
    code = null,
    param = null,
    headers,
  } = fields;
  return (_, reply) => reply.send(status, JSON.stringify({ error: { message, type, param, code } }), headers);
}

/** `after` in seconds, or as a date. */
export function rateLimited(after?: number | Date): Behaviour {
  const value = after instanceof Date ? after.toUTCString() : String(after);
  return refusing(429, {
    message: "Rate limit reached.",
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
    ...(after !== undefined && { headers: { "retry-after": value } }),
  });
}

export const contextExceeded = refusing(400, {
  message: "This model's maximum context length is 8192 tokens, and the messages have 9631.",
  type: "invalid_request_error",
  code: "context_length_exceeded",
  param: "messages",
});

export const contentRefused = refusing(400, {
  message: "The request was rejected by the safety system.",
  type: "invalid_request_error",
  code: "content_policy_violation",
});

export const modelMissing = refusing(404, {
  message: "The model does not exist.",
  type: "invalid_request_error",
  code: "model_not_found",
  param: "model",
});

export const keyRefused = refusing(401, {
  message: "Incorrect API key provided: sk-upst*****.",
  type: "invalid_request_error",
  code: "invalid_api_key",
});

/** A page for people, as a proxy in front of an API writes it. */
export function htmlPage(status: number): Behaviour {
  const page = `<!doctype html>\n<title>${status}</title>\n<h1>Something is in the way</h1>\n`;
  return (_, reply) => reply.send(status, page, { "content-type": "text/html" });
}

/** Refuses a conversation that ends with words of the assistant, as models without prefill do. */
export function unlessPrefilled(behaviour: Behaviour): Behaviour {
  const refusal = refusing(400, {
    message: "This model does not take a last message of the assistant.",
    type: "invalid_request_error",
    code: "invalid_prefill",
    param: "messages",
  });
  return (request, reply) => {
    const { messages = [] } = JSON.parse(request.body.toString()) as { messages?: { role: string }[] };
    return (messages.at(-1)?.role === "assistant" ? refusal : behaviour)(request, reply);
  };
}
