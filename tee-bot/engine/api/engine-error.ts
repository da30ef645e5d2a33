/** What goes wrong in the engine, in the shape that OpenAI's clients read. Nothing of a prompt or an answer is in it. */
const codes = {
  invalid_request: [400, "invalid_request_error"],
  context_length_exceeded: [400, "invalid_request_error"],
  model_not_found: [404, "invalid_request_error"],
  not_found: [404, "invalid_request_error"],
  method_not_allowed: [405, "invalid_request_error"],
  body_too_large: [413, "invalid_request_error"],
  internal_error: [500, "engine_error"],
  /** The file could not be loaded. */
  model_unavailable: [500, "engine_error"],
  not_supported: [501, "invalid_request_error"],
  overloaded: [503, "overloaded_error"],
} as const satisfies Record<string, readonly [status: number, type: string]>;

export type EngineErrorCode = keyof typeof codes;

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** The field of the request that is wrong. */
  readonly param: string | undefined;

  constructor(code: EngineErrorCode, message: string, param?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.param = param;
  }

  get status(): number {
    return codes[this.code][0];
  }

  get body(): { error: object } {
    return {
      error: { message: this.message, type: codes[this.code][1], param: this.param ?? null, code: this.code },
    };
  }
}

/** Anything thrown, as the client is told of it; what was not foreseen is told without its text. */
export function engineErrorOf(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError("internal_error", "The engine failed while it worked on this request.", undefined, {
    cause: error,
  });
}
