/** What the stand-in was asked, and what became of it. */
import type { ReadRequest } from "./request-reader.ts";

export interface UpstreamRequest extends ReadRequest {
  readonly path: string;
  /** Of the API that answers with a model; else it is a page. */
  readonly isCall: boolean;
  /** Undefined: the body is not JSON, or has none. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** `stream_options.include_usage`. */
  readonly wantsUsage: boolean;
  /** Of the requests for this model, from 1. */
  readonly attempt: number;
  /** `performance.now()` when all of it was here. */
  readonly at: number;
  /** `performance.now()` when the client went before its answer was complete; undefined: it has not. */
  readonly leftAt: number | undefined;
  /** Resolves to {@link leftAt}. */
  readonly left: Promise<number>;
  /** Everything was written that should be. */
  answered(): void;
}

const callPaths = ["/chat/completions", "/completions", "/embeddings", "/responses"];

export function noteRequest(read: ReadRequest, seen: UpstreamRequest[], gone: AbortSignal): UpstreamRequest {
  const path = read.target.split("?")[0] ?? "";
  const fields = parseFields(read.body);
  const model = typeof fields["model"] === "string" ? fields["model"] : undefined;
  const options = fields["stream_options"] as { include_usage?: boolean } | undefined;
  const left = Promise.withResolvers<number>();
  let leftAt: number | undefined;
  let isAnswered = false;
  gone.addEventListener("abort", () => {
    if (isAnswered) return;
    leftAt = performance.now();
    left.resolve(leftAt);
  });
  const request: UpstreamRequest = {
    ...read,
    path,
    isCall: read.method === "POST" && callPaths.some((one) => path.endsWith(one)),
    model,
    stream: fields["stream"] === true,
    wantsUsage: options?.include_usage === true,
    attempt: seen.filter((one) => one.model === model && one.isCall).length + 1,
    at: performance.now(),
    get leftAt() {
      return leftAt;
    },
    left: left.promise,
    answered: () => void (isAnswered = true),
  };
  seen.push(request);
  return request;
}

function parseFields(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
