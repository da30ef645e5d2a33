/** What a complete answer amounts to that is no stream: status 200 may hide a page, half an answer, or an error. */
import type { Tokens } from "../../tracking/track.ts";
import { statusOfError } from "./error-answer.ts";
import { countedTokens, readUsage } from "./usage.ts";

export type JsonVerdict =
  | { readonly kind: "sound"; readonly tokens: Tokens | undefined }
  /** An error and nothing else; the status that it should have had. */
  | { readonly kind: "error"; readonly status: number }
  | { readonly kind: "broken" };

/** A longer one is judged by its ends: to parse it would hold up everybody else. */
const maxParsedBytes = 256 * 1024;
const broken: JsonVerdict = { kind: "broken" };

export function judgeJson(body: Buffer): JsonVerdict {
  if (body.length > maxParsedBytes) {
    const isWhole = beginsAsJson(body) && /[}\]]\s*$/.test(body.toString("latin1", body.length - 64));
    return isWhole ? { kind: "sound", tokens: readUsage(body.toString("latin1")) } : broken;
  }
  const value = parseJson(body);
  if (typeof value !== "object" || value === null) return broken;
  const { error, choices, data, output, message, response } = value as Record<string, unknown>;
  if (error !== undefined && error !== null && (choices ?? data ?? output ?? message ?? response) === undefined)
    return { kind: "error", status: statusOfError(error) };
  return { kind: "sound", tokens: countedTokens(value) };
}

export function beginsAsJson(body: Buffer): boolean {
  return /^\s*[{[]/.test(body.toString("latin1", 0, 64));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
