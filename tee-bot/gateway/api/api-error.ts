/**
 * What goes wrong under `/v1`, in the shape that OpenAI's clients read. The code tells who failed: the client (4xx),
 * this gateway, or the provider behind it (502, 504).
 * https://platform.openai.com/docs/guides/error-codes
 */
export const apiErrorCodes = {
  invalid_request: [400, "invalid_request_error", "client"],
  invalid_api_key: [401, "authentication_error", "client"],
  model_not_allowed: [403, "permission_error", "client"],
  origin_not_allowed: [403, "permission_error", "client"],
  /** No provider that the privacy rule allows has the model; another one has. */
  privacy_rule: [403, "permission_error", "gateway"],
  not_found: [404, "invalid_request_error", "client"],
  model_not_found: [404, "invalid_request_error", "client"],
  /** `X-Target-Node` names a node that this one does not know. */
  target_not_found: [404, "invalid_request_error", "client"],
  method_not_allowed: [405, "invalid_request_error", "client"],
  /** The upload stood still. */
  request_timeout: [408, "invalid_request_error", "client"],
  body_too_large: [413, "invalid_request_error", "client"],
  unsupported_media_type: [415, "invalid_request_error", "client"],
  rate_limit_exceeded: [429, "rate_limit_error", "client"],
  insufficient_quota: [429, "insufficient_quota", "client"],
  /** nginx's word for a client that left before its answer; nobody reads it but the request log. */
  client_closed_request: [499, "client_error", "client"],
  internal_error: [500, "gateway_error", "gateway"],
  not_supported: [501, "invalid_request_error", "gateway"],
  upstream_unreachable: [502, "upstream_error", "upstream"],
  /** The answer broke off, or was not what the API promises. */
  upstream_broken: [502, "upstream_error", "upstream"],
  /** Who has the model says that it runs in a TEE, and what it shows for that is bad. */
  evidence_rejected: [502, "upstream_error", "upstream"],
  /** The provider refused this gateway's own key. */
  upstream_refused_key: [502, "upstream_error", "upstream"],
  overloaded: [503, "overloaded_error", "gateway"],
  /** Whoever has the model is asleep, or has failed too often just now. */
  no_provider: [503, "gateway_error", "gateway"],
  /** No first token, or none since, for longer than allowed. */
  upstream_timeout: [504, "gateway_timeout", "upstream"],
} as const satisfies Record<string, readonly [status: number, type: string, failed: Failed]>;

/** Who failed. */
export type Failed = "client" | "gateway" | "upstream";
export type ApiErrorCode = keyof typeof apiErrorCodes;

export interface ApiErrorOptions extends ErrorOptions {
  /** The field of the request that is wrong. */
  param?: string | undefined;
  /** When the client should come back, for 429 and 503. */
  retryAfterMs?: number | undefined;
  /** Names and values in turn, for the answer. */
  headers?: readonly string[] | undefined;
}

/** A failure of the API; `message` is for the caller: what happened, why, what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly headers: readonly string[];

  constructor(code: ApiErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
    this.headers = options.headers ?? [];
  }

  get status(): number {
    return apiErrorCodes[this.code][0];
  }

  get failed(): Failed {
    return apiErrorCodes[this.code][2];
  }
}

/** The body of an error answer, and of the event that ends a stream which could not be finished. */
export function errorBody({ code, message, param }: ApiError): { error: object } {
  return { error: { message, type: apiErrorCodes[code][1], param: param ?? null, code } };
}
