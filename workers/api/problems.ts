/** The one place where a failure becomes an answer: `application/problem+json` (RFC 9457). */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Edge } from "./context.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { problemContentType, problemOfError } from "../../shared/problem.ts";

export function answerError(error: Error, c: Context<Edge>): Response {
  const known = knownError(error);
  if (known === undefined || known.code === "internal")
    c.var.log.error("request.failed", {
      requestId: c.var.requestId,
      method: c.req.method,
      path: loggedPath(c.req.path),
      error: errorText(error),
    });
  else
    c.var.log.info("request.refused", {
      requestId: c.var.requestId,
      method: c.req.method,
      path: loggedPath(c.req.path),
      code: known.code,
      detail: known.detail,
      cause: known.cause === undefined ? undefined : errorText(known.cause),
    });
  return answerProblem(c, known ?? error);
}

const maxLoggedPathLength = 200;

/** Paths come from outside and may be as long as a request line. */
export function loggedPath(path: string): string {
  return path.slice(0, maxLoggedPathLength);
}

/** For a path without a route, or with one for other methods only (RFC 9110 §15.5.6). */
export function answerUnknownRoute(c: Context<Edge>, app: OpenAPIHono<Edge>): Response {
  const allowed = decideAllowedMethods(c.req.path, app.openAPIRegistry.definitions);
  if (allowed.length === 0) return answerProblem(c, new AppError("not-found", "There is no such resource here."));
  c.header("allow", allowed.join(", "));
  return answerProblem(c, new AppError("method-not-allowed", `Use ${allowed.join(" or ")}.`));
}

type Definitions = OpenAPIHono<Edge>["openAPIRegistry"]["definitions"];

export function decideAllowedMethods(path: string, definitions: Definitions): string[] {
  const methods: string[] = [];
  for (const definition of definitions) {
    if (definition.type !== "route") continue;
    const pattern = new RegExp(`^${definition.route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    if (pattern.test(path)) methods.push(definition.route.method.toUpperCase());
  }
  return methods;
}

function answerProblem(c: Context<Edge>, error: Error): Response {
  const problem = problemOfError(error, c.var.requestId);
  c.header("content-type", problemContentType);
  return c.body(JSON.stringify(problem), problem.status as 400);
}

/** Hono's own refusals in the vocabulary; undefined for anything unforeseen. */
function knownError(error: Error): AppError | undefined {
  if (error instanceof AppError) return error;
  if (!(error instanceof HTTPException)) return undefined;
  if (error.status === 415) return new AppError("unsupported-media-type", "Send application/json.");
  if (error.status === 400) return new AppError("bad-request", "The body is not JSON.");
  return undefined;
}
