import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { HttpHandler } from "../server/terminator.ts";

/** Serves a Hono app to visitors of the public name. */
export function handlerOf(app: Hono): HttpHandler {
  const listener = getRequestListener(app.fetch);
  return {
    request: (request, response) => void listener(request, response),
    upgrade: (_request, socket) =>
      void socket.end("HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
  };
}
