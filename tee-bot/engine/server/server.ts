/** The OpenAI API of the engine, on a socket that only the node can open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { EngineError, engineErrorOf } from "../api/engine-error.ts";
import type { Models } from "../model/models.ts";
import { answerChat } from "./chat.ts";
import { answerCompletion } from "./completions.ts";
import { answerEmbeddings } from "./embeddings.ts";
import { readJson } from "./read-json.ts";
import { sendError, sendJson } from "./send.ts";

/** The whole request, from its first byte. */
const requestMs = 60_000;
/** Longer than the node keeps a connection, so that it never sends a request into one that is closing. */
const keepAliveMs = 30_000;

/** One call: what was asked, and where the answer goes. `signal` aborts when the client has left. */
export interface EngineCall {
  readonly body: unknown;
  readonly response: ServerResponse;
  readonly models: Models;
  readonly signal: AbortSignal;
}

type Answer = (call: EngineCall) => Promise<void>;

const posts: Readonly<Record<string, Answer>> = {
  "/v1/chat/completions": answerChat,
  "/v1/completions": answerCompletion,
  "/v1/embeddings": answerEmbeddings,
};

const gets: Readonly<Record<string, (models: Models) => object>> = {
  "/v1/models": (models) => ({
    object: "list",
    data: models.all.map(({ id }) => ({ id, object: "model", created: 0, owned_by: "postern" })),
  }),
  "/health": (models) => ({
    status: "ok",
    models: models.all.map(({ id, model }) => ({
      id,
      loaded: model !== undefined,
      busy: model?.busy ?? 0,
      waiting: model?.waiting ?? 0,
    })),
  }),
};

/** `onFailure` is told what was not foreseen; the client is told only that there was something. */
export function createEngineServer(models: Models, onFailure: (error: unknown) => void): Server {
  const server = createServer((request, response) => void serve(request, response, models, onFailure));
  server.requestTimeout = requestMs;
  server.keepAliveTimeout = keepAliveMs;
  return server;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  models: Models,
  onFailure: (error: unknown) => void,
): Promise<void> {
  const left = new AbortController();
  response.once("close", () => left.abort(new Error("The client has left.")));
  response.on("error", () => {});
  try {
    await route(request, response, models, left.signal);
  } catch (error) {
    if (left.signal.aborted) return;
    const failure = engineErrorOf(error);
    if (failure.cause !== undefined) onFailure(failure.cause);
    sendError(response, failure);
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  models: Models,
  signal: AbortSignal,
): Promise<void> {
  const path = request.url ?? "";
  const [post, get] = [posts[path], gets[path]];
  if (!post && !get) throw new EngineError("not_found", "The embedded engine has no such path.");
  if (request.method !== (post ? "POST" : "GET"))
    throw new EngineError("method_not_allowed", `This path takes ${post ? "POST" : "GET"} only.`);
  if (get) return sendJson(response, get(models));
  await post?.({ body: await readJson(request), response, models, signal });
}
