/** `GET /v1/receive/{number}`: a poll in normal mode; in json-rpc mode there is a WebSocket at this path instead. */
import { Hono } from "hono";
import type { Mode } from "../container/container.ts";
import type { RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";

const notUpgraded =
  "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header";
const flags = ["ignore_attachments", "ignore_stories", "ignore_avatars", "ignore_stickers", "send_read_receipts"];
const maxTimeoutSeconds = 3_600;

export function receiveRoutes(options: RestOptions & { readonly mode: Mode }): Hono {
  const app = new Hono();
  app.get("/v1/receive/:number", async (context) => {
    if (options.mode === "json-rpc") throw new RestError(notUpgraded);
    for (const flag of flags)
      if (!["true", "false", undefined].includes(context.req.query(flag)))
        throw new RestError(`Couldn't process request - ${flag} parameter needs to be either 'true' or 'false'`);
    const timeout = readNumber("timeout", context.req.query("timeout") ?? "1");
    const maxMessages = readNumber("max_messages", context.req.query("max_messages") ?? "0");
    const seconds = Math.min(timeout, maxTimeoutSeconds);
    const lines = await options.host.receive(seconds * 1_000, maxMessages);
    return context.body(`[${lines.map(({ params }) => params).join()}]`, 200, { "content-type": "text/plain" });
  });
  return app;
}

function readNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new RestError(`Couldn't process request - ${name} needs to be numeric!`);
  return Number(text);
}
