import type { IncomingHttpHeaders } from "node:http";
import type { HttpRequest } from "../../server/terminator.ts";
import { privacyRules, type PrivacyRule } from "../routing/route.ts";
import { ApiError } from "./api-error.ts";
import type { Call } from "./call.ts";
import type { Endpoint } from "./endpoints.ts";
import { parseBody } from "./parse-body.ts";
import { readBody, type UploadLimits } from "./read-body.ts";

/** What is known of a call before its body. */
export type CallHead = Pick<Call, "id" | "endpoint" | "surface" | "client" | "startedAt">;

/** What people send as JSON: with its type, with none, or with the one that `curl -d` gives by itself. */
const jsonTypes = /^(application\/(json|[\w.+-]+\+json|x-www-form-urlencoded)|text\/json)\s*(;|$)/i;

/** Reads and checks one call. Throws {@link ApiError}; the rest of the upload is then the caller's. */
export async function readCall(request: HttpRequest, head: CallHead, limits: UploadLimits): Promise<Call> {
  const { headers } = request;
  checkForm(headers, head.endpoint);
  const whole = readDelivery(headers["x-postern-delivery"]);
  const privacy = readPrivacy(headers["x-postern-privacy"]);
  const body = await readBody(request, limits);
  const { model, stream, estimatedPromptTokens } = parseBody(body, head.endpoint);
  const targetNode = headers["x-target-node"];
  return {
    id: head.id,
    endpoint: head.endpoint,
    surface: head.surface,
    client: head.client,
    headers,
    body,
    model,
    stream,
    targetNode: typeof targetNode === "string" && targetNode.trim() !== "" ? targetNode.trim() : undefined,
    whole,
    privacy,
    estimatedPromptTokens,
    startedAt: head.startedAt,
  };
}

/** Ollama does not look at the type, so some of its clients leave what `fetch` gives a text by itself. */
const plainText = /^text\/plain\s*(;|$)/i;

function checkForm(headers: IncomingHttpHeaders, { besideV1 }: Endpoint): void {
  const { "content-type": type, "content-encoding": encoding, "transfer-encoding": coding } = headers;
  if (type !== undefined && !jsonTypes.test(type) && !(besideV1 && plainText.test(type)))
    throw new ApiError(
      "unsupported_media_type",
      "The body is not said to be JSON: send content-type application/json.",
    );
  const isCoded = encoding !== undefined && encoding.toLowerCase() !== "identity";
  if (isCoded || (coding !== undefined && coding.toLowerCase() !== "chunked"))
    throw new ApiError("unsupported_media_type", "Compressed bodies are not taken: send the JSON as it is.");
}

function readDelivery(value: string | string[] | undefined): boolean {
  if (value === undefined || value === "stream") return false;
  if (value === "whole") return true;
  throw new ApiError("invalid_request", "X-Postern-Delivery is neither `whole` nor `stream`.");
}

/** A rule that is not understood must not be taken for none. */
function readPrivacy(value: string | string[] | undefined): PrivacyRule | undefined {
  const rule = privacyRules.find((one) => one === value);
  if (value === undefined || rule !== undefined) return rule;
  throw new ApiError("invalid_request", `X-Postern-Privacy is none of ${privacyRules.join(", ")}.`);
}
