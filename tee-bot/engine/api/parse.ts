import type { z } from "zod";
import { EngineError } from "./engine-error.ts";
import { findRefused } from "./refused.ts";

/** A request that the engine can do as it was meant. Throws {@link EngineError} that names the field. */
export function parseRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new EngineError("invalid_request", "The body is not a JSON object.");
  const refused = findRefused(body as Record<string, unknown>);
  if (refused) throw new EngineError("invalid_request", refused.message, refused.param);
  const { data, error } = schema.safeParse(body);
  if (!error) return data;
  const [issue] = error.issues;
  const param = issue ? pathOf(issue.path) : undefined;
  throw new EngineError("invalid_request", `${param ?? "The body"}: ${issue?.message ?? "is not valid"}.`, param);
}

/** `messages[2].content` */
function pathOf(path: readonly PropertyKey[]): string | undefined {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text.replace(/^\./, "") || undefined;
}
