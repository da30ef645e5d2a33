/** A local service that takes webhooks, as somebody has it behind a hook of the node's inbox. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface TakenHook {
  readonly id: string;
  readonly body: string;
}

export interface HookService extends AsyncDisposable {
  readonly url: string;
  readonly taken: TakenHook[];
  /** Called with each webhook before it is answered with 200. */
  onHook: (hook: TakenHook) => void;
}

export async function startHookService(): Promise<HookService> {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const service: HookService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    taken: [],
    onHook: () => {},
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hook = { id: String(request.headers["webhook-id"]), body: await text(request) };
    service.taken.push(hook);
    service.onHook(hook);
    response.end();
  }

  return service;
}
