/** The real engine as a process, and calls to it over its socket. */
import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog, type Log } from "../../../shared/log.ts";
import { demoModel } from "../../../tee-bot/engine/demo-model.ts";
import type { EngineModel } from "../../../tee-bot/engine/messages.ts";
import { startEngineChild, type EngineChild } from "../../../tee-bot/engine/process/child.ts";

export const demo: EngineModel = { ...demoModel, contextSize: undefined };

/** An engine starts in a second, but not while all processors are busy with other tests. */
export const busyMs = 60_000;

export interface EngineAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface RunningEngine extends AsyncDisposable {
  readonly child: EngineChild;
  readonly crashes: string[];
  /** `body` is sent as it stands when it is a text. */
  call(path: string, body?: unknown): Promise<EngineAnswer>;
  request(path: string, body: unknown): ClientRequest;
  /** The answer as it comes. */
  open(path: string, body: unknown): Promise<IncomingMessage>;
}

export async function startEngine(
  models: readonly EngineModel[] = [demo],
  log: Log = silentLog,
): Promise<RunningEngine> {
  const crashes: string[] = [];
  const child = await startEngineChild({
    models,
    clock: systemClock,
    log,
    onLoaded: () => {},
    onCrash: (how) => crashes.push(how),
    signal: new AbortController().signal,
  });
  const send = (path: string, body: unknown): ClientRequest => {
    const request = httpRequest({
      socketPath: child.socket,
      path,
      method: body === undefined ? "GET" : "POST",
      agent: false,
    });
    request.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    return request.on("error", () => {}); // who waits for the answer is told
  };
  const open = async (path: string, body: unknown): Promise<IncomingMessage> => {
    const request = send(path, body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  };
  return {
    child,
    crashes,
    request: send,
    open,
    async call(path, body) {
      const response = await open(path, body);
      return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
    },
    [Symbol.asyncDispose]: () => child.stop(),
  };
}

/** A request for the demo model. */
export function ask(content: string, more: object = {}): object {
  return { model: demo.id, messages: [{ role: "user", content }], ...more };
}

/** The JSON of each event, and `[DONE]`. */
export function eventsOf(body: string): unknown[] {
  return body
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^data: /, ""))
    .map((data) => (data === "[DONE]" ? data : (JSON.parse(data) as unknown)));
}
