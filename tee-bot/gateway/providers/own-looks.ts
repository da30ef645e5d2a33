import type { HttpHandler } from "../../server/terminator.ts";

/** Says in whose name a provider is looked at. */
export const lookHeader = "x-postern-look";
/** RFC 5842 §7.2. */
export const loopDetected = 508;

/**
 * Refuses looks that this gateway takes at itself. `OLLAMA_HOST` often leads here, so that the tools of Ollama use the
 * gateway; taken for a provider it would send calls round in circles.
 */
export function refuseOwnLooks(handler: HttpHandler, mark: string): HttpHandler {
  return {
    request(request, response, client) {
      if (request.headers[lookHeader] !== mark) return handler.request(request, response, client);
      response.writeHead(loopDetected, { "cache-control": "no-store" }).end();
    },
    upgrade: (request, socket, head, client) => handler.upgrade(request, socket, head, client),
  };
}
