import { ApiError } from "./api-error.ts";
import type { Endpoint } from "./endpoints.ts";
import { findJsonFault } from "./json-fault.ts";
import { namesOneModel } from "./model-field.ts";
import { estimatePromptTokens } from "./prompt-tokens.ts";

/** What this gateway itself needs to know of a body; all else is between the client and the provider. */
export interface ParsedBody {
  readonly model: string;
  readonly stream: boolean;
  readonly estimatedPromptTokens: number;
}

const maxModelLength = 512;

/** Throws {@link ApiError} `invalid_request`, which says where the body is wrong and quotes nothing of it. */
export function parseBody(body: Buffer, endpoint: Endpoint): ParsedBody {
  const fields = parseObject(body);
  const { model, stream } = fields;
  if (typeof model !== "string" || model === "")
    throw invalid("The body names no model: give `model` as a string; GET /v1/models lists what there is.", "model");
  if (model.length > maxModelLength)
    throw invalid(
      `The name of the model has ${model.length} characters; at most ${maxModelLength} are taken.`,
      "model",
    );
  if (!namesOneModel(body)) throw invalid("The body gives `model` more than once. Give it once.", "model");
  if (stream !== undefined && stream !== null && typeof stream !== "boolean")
    throw invalid("`stream` is neither true nor false.", "stream");
  refuseConstraints(fields["provider"]);
  return {
    model,
    stream: stream === true && endpoint.stream !== undefined,
    estimatedPromptTokens: estimatePromptTokens(fields),
  };
}

/** Constraints of `aci/1` (§5.3), which must not be passed over in silence: whoever gives one relies on it. */
function refuseConstraints(provider: unknown): void {
  if (typeof provider !== "object" || provider === null) return;
  const asked = Object.keys(provider).find((name) => name.startsWith("aci_"));
  if (asked === undefined) return;
  const instead = "Send the header X-Postern-Privacy: local-or-verified, which refuses whoever is not verified.";
  throw invalid(`Constraints in the body (aci_…) are not taken here. ${instead}`, "provider");
}

function parseObject(body: Buffer): Record<string, unknown> {
  if (body.length === 0) throw invalid("The body is empty. Send a JSON object.");
  const text = body.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(`The body is not JSON: ${describeFault(text)}.`); // V8's own words would quote the prompt
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("The body is JSON, but no object. Send an object with `model` and the call's parameters.");
  return value as Record<string, unknown>;
}

function describeFault(text: string): string {
  const at = findJsonFault(text);
  const before = text.slice(0, at).split("\n");
  const place = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
  return at === text.length ? `it ends too early, at ${place}` : `it goes wrong at ${place}`;
}

function invalid(message: string, param?: string): ApiError {
  return new ApiError("invalid_request", message, { param });
}
