import type { Call } from "../../api/call.ts";
import type { Endpoint } from "../../api/endpoints.ts";
import { replaceModel } from "../../api/model-field.ts";
import type { Upstream } from "../../providers/provider.ts";
import type { Candidate } from "../../routing/route.ts";
import { version } from "../../../../shared/version.ts";

/** One call as it is put to one provider. */
export interface UpstreamRequest {
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The body is not the client's: the provider has another name for the model. */
  readonly rewritten: boolean;
}

/** Of the client's headers none is passed on: they have its key, and where it is. */
const ownHeaders = [
  "user-agent",
  `postern/${version}`,
  "content-type",
  "application/json",
  "accept-encoding",
  "identity",
];

interface Prepared {
  readonly stream: readonly string[];
  readonly json: readonly string[];
}
const prepared = new WeakMap<Upstream, Prepared>();

export function upstreamRequest(call: Call, { provider: { upstream }, model }: Candidate): UpstreamRequest {
  const rewritten = model !== call.model;
  return {
    path: pathAt(upstream, call.endpoint),
    headers: headersFor(upstream)[call.stream ? "stream" : "json"],
    body: rewritten ? replaceModel(call.body, model) : call.body,
    rewritten,
  };
}

function pathAt({ basePath }: Upstream, { upstreamPath, besideV1 }: Endpoint): string {
  return (besideV1 ? basePath.replace(/\/v1$/, "") : basePath) + upstreamPath;
}

function headersFor(upstream: Upstream): Prepared {
  let known = prepared.get(upstream);
  if (!known) {
    const common = [...ownHeaders, ...upstream.headers];
    known = { stream: [...common, "accept", "text/event-stream"], json: [...common, "accept", "application/json"] };
    prepared.set(upstream, known);
  }
  return known;
}
