/**
 * A stand-in for signal-cli-rest-api whose every answer the test decides: for faults that have to come at one certain call. It
 * counts calls that it has in hand at once, since the real one ends when there are several.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../../../../shared/clock.ts";

export interface ScriptedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
}

export type ScriptedAnswer =
  | { readonly status: number; readonly body?: unknown; readonly afterMs?: number }
  /** No answer ever comes. */
  | "hang"
  /** The connection breaks. */
  | "reset";

export interface ScriptedRest extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly ScriptedCall[];
  readonly mostAtOnce: number;
  /** So that nothing listens there. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startScriptedRest(script: (call: ScriptedCall) => ScriptedAnswer): Promise<ScriptedRest> {
  const calls: ScriptedCall[] = [];
  let inHand = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++inHand);
    response.on("close", () => inHand--);
    void handle(request, response);
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readJson(request);
    const call = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
    calls.push(call);
    const answer = script(call);
    if (answer === "hang") return;
    if (answer === "reset") return void request.socket.resetAndDestroy();
    if (answer.afterMs !== undefined) await systemClock.sleep(answer.afterMs);
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  };
  let port = 0;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", () => {
        ({ port } = server.address() as AddressInfo);
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    get mostAtOnce() {
      return mostAtOnce;
    },
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function readJson(request: IncomingMessage): Promise<ScriptedCall["body"]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as ScriptedCall["body"]);
}
