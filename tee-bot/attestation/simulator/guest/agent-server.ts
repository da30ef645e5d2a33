/**
 * A guest agent's HTTP, with the habits of the original (ra-rpc/src/rocket_helper.rs): a call is a path of one segment,
 * by POST of JSON or by GET with a query; each refusal has status 400 and a JSON text in several lines.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock } from "../../../../shared/clock.ts";
import { errorText } from "../../../../shared/errors.ts";
import type { Log } from "../../../../shared/log.ts";
import { AgentError } from "./agent-error.ts";
import type { Calls } from "./call.ts";
import type { Faults } from "./faults.ts";

export interface AgentServerOptions {
  /** What comes before a call's name in the path. */
  readonly prefix: "/" | "/prpc/Tappd." | "/prpc/Worker.";
  readonly calls: Calls;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly log: Log;
}

const maxBodyBytes = 10 * 1024 * 1024;
const requestTimeoutMs = 30_000;
const keepAliveMs = 10_000;

/** It does not listen yet. */
export function createAgentServer(options: AgentServerOptions): Server {
  return createServer({ requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveMs }, (request, response) => {
    void answer(request, response, options).catch((error: unknown) => {
      options.log.error("call.failed", { reason: errorText(error) });
      response.destroy();
    });
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, options: AgentServerOptions): Promise<void> {
  const { prefix, calls, faults, clock, log } = options;
  const url = URL.parse(request.url ?? "/", "http://agent");
  const name = url?.pathname.slice(prefix.length) ?? "";
  if (faults.delayMs > 0) await clock.sleep(faults.delayMs);
  if (faults.hangUp) return hangUp(response);
  if (faults.broken) return send(response, 500, "<h1>500: Internal Server Error</h1>", "text/html");
  if (!url?.pathname.startsWith(prefix) || !/^[A-Za-z0-9]+$/.test(name) || !isCallMethod(request))
    return send(response, 404, "<h1>404: Not Found</h1>", "text/html");
  try {
    const run = calls.get(name);
    if (!run) throw new AgentError(`Service not found: ${name}`);
    const result = await run(await readInput(request, url));
    log.debug("call.answered", { call: name });
    if (result) sendJson(response, 200, result);
    else send(response, 200, "", "application/json");
  } catch (error) {
    const reason = errorText(error);
    if (error instanceof AgentError) log.debug("call.refused", { call: name, reason });
    else log.warn("call.failed", { call: name, reason }); // also what the original answers with 400
    sendJson(response, 400, { error: reason });
  }
}

function isCallMethod({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "POST";
}

async function readInput(request: IncomingMessage, url: URL): Promise<unknown> {
  if (request.method === "GET") return queryOf(url.searchParams);
  const type = request.headers["content-type"] ?? "";
  const body = await readBody(request);
  if (!/^application\/json\b/i.test(type) && !["", "1", "true"].includes(url.searchParams.get("json") ?? "no"))
    throw new AgentError("failed to decode Protobuf message: this simulator is spoken to in JSON");
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new AgentError("Failed to decode request: it is not JSON"); // the parser's own words repeat what was sent
  }
}

/** A name that comes several times is a list. */
function queryOf(query: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(query.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = query.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBodyBytes) throw new AgentError("failed to read data: payload too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Loud in the body where it has members, and in a header always. */
function sendJson(response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  const told = { ...body, simulated: true };
  const text = status === 200 ? JSON.stringify(told) : JSON.stringify(told, undefined, 2);
  send(response, status, text, "application/json");
}

function send(response: ServerResponse, status: number, text: string, type: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, { "content-type": type, "content-length": body.length, "x-simulated": "true" }).end(body);
}

function hangUp(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": 1000 });
  response.write('{"quote":"', () => response.destroy());
}
