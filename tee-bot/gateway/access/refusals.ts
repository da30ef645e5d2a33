/** What a client is told whose key is not taken. Whoever has the right text may know what became of the key. */
import { ApiError } from "../api/api-error.ts";

const howToMake = "Make one on the node with: postern keys create --name NAME";

const words = {
  none: `An API key is asked for here, and none was shown. ${howToMake}, and send it as "Authorization: Bearer postern_…".`,
  unknown: `This API key is not known here. ${howToMake}`,
  cut: "This API key is not whole: its checksum is wrong. Send it as it was shown when it was made.",
  revoked: `This API key was revoked. ${howToMake}`,
  expired: `This API key has expired. ${howToMake}`,
} as const;

/** Why somebody is not let in; `too-many`: his address has shown too many keys that nobody has. */
export type KeyRefusal = keyof typeof words | "too-many";

export function refusalOf(why: keyof typeof words): ApiError {
  return new ApiError("invalid_api_key", words[why]);
}

export function refusalOfModel(): ApiError {
  const message = "This API key is not for this model. Ask for another model, or use another key.";
  return new ApiError("model_not_allowed", message, { param: "model" });
}

export function tooManyWrongKeys(retryAfterMs: number): ApiError {
  const message = `Too many wrong API keys from this address. Try again in ${Math.ceil(retryAfterMs / 1_000)} s, with a key that is right.`;
  return new ApiError("rate_limit_exceeded", message, { retryAfterMs });
}
