/** What became of calls: a trace for whoever made the call, a list for this machine. Never what was asked or answered. */
import { Hono } from "hono";
import { z } from "zod";
import type { Caller } from "../access/access.ts";
import type { KeyRing } from "../access/key-ring.ts";
import { ApiError, errorBody } from "../api/api-error.ts";
import type { Surface } from "../api/call.ts";
import type { RequestTracker } from "../tracking/request-tracker.ts";
import { summaryOf, traceOf } from "../tracking/trace.ts";
import type { RequestRecord } from "../tracking/track.ts";
import type { PageEnvironment } from "./page-environment.ts";

export interface RequestPagesOptions {
  surface: Surface;
  tracker: RequestTracker;
  keys: KeyRing;
}

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  before: z.string().max(100).optional(),
});

export function requestPages({ surface, tracker, keys }: RequestPagesOptions): Hono<PageEnvironment> {
  const app = new Hono<PageEnvironment>();
  const nameOf = ({ key }: RequestRecord): string | undefined =>
    key === undefined ? undefined : keys.get(key)?.key.name;

  app.get("/v1/requests/:id/trace", (context) => {
    const id = context.req.param("id");
    const record = tracker.find(id);
    if (!record || !mayRead(record, context.env.caller, surface)) throw unknownRequest(id);
    return context.json(traceOf(record, nameOf(record)), 200, { "cache-control": "no-store" });
  });

  if (surface === "local")
    app.get("/v1/requests", (context) => {
      const query = listQuery.safeParse(context.req.query());
      if (!query.success || context.env.caller?.keyId !== undefined) throw query.success ? notWithKey() : wrongQuery();
      const { limit, before } = query.data;
      const records = tracker.list(limit + 1, before);
      const data = records.slice(0, limit).map((record) => summaryOf(record, nameOf(record)));
      const list = { object: "list", data, has_more: records.length > limit };
      return context.json(list, 200, { "cache-control": "no-store" });
    });

  app.onError((error) => {
    if (!(error instanceof ApiError)) throw error;
    return Response.json(errorBody(error), { status: error.status });
  });
  return app;
}

/** A key reads what it has called itself; who needs no key on this machine, all; elsewhere, what nobody's key has called. */
function mayRead({ key, surface: from }: RequestRecord, caller: Caller | undefined, surface: Surface): boolean {
  if (caller?.keyId !== undefined) return key === caller.keyId;
  return surface === "local" || (key === undefined && from === "public");
}

/** The same for what is not there and what is not theirs. */
function unknownRequest(id: string): ApiError {
  const shown = id.length > 64 ? `${id.slice(0, 64)}…` : id;
  return new ApiError("not_found", `There is no ended request ${shown} that this caller has made, or it is forgotten.`);
}

function wrongQuery(): ApiError {
  return new ApiError("invalid_request", "Give limit from 1 to 1000, and in before the id of a request.");
}

function notWithKey(): ApiError {
  return new ApiError("not_found", "The list of requests is for this machine, without a key.");
}
