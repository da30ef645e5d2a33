/**
 * A stand-in for an OpenAI-compatible server, for faults that no real one makes on demand. It speaks HTTP/1.1 over raw
 * sockets, so that it can end an answer at any byte and in any way, and notes what it was asked and when its client left.
 * What it does with a call is a {@link Behaviour}: that of the test, else the one that the model is named after.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { behaviours, decideBehaviour, type Behaviour } from "./behaviours.ts";
import { ClientLeft, Reply } from "./reply.ts";
import { RequestReader, type ReadRequest } from "./request-reader.ts";
import { noteRequest, type UpstreamRequest } from "./upstream-request.ts";

export interface UpstreamOptions {
  /** For every call that {@link Upstream.behaveFor} does not name the model of. */
  readonly behaviour?: Behaviour;
  /** What `GET /v1/models` lists; all behaviours by name, if none are given. */
  readonly models?: readonly string[];
  /** Other paths: `GET /api/tags`. */
  readonly pages?: Readonly<Record<string, Behaviour>>;
}

export interface Upstream extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
  /** As a client takes it: with `/v1`. */
  readonly baseUrl: string;
  /** The calls so far, oldest first; a request for the list of models is none. */
  readonly calls: readonly UpstreamRequest[];
  /** Everything so far. */
  readonly requests: readonly UpstreamRequest[];
  /** Connections that are open now. */
  readonly connections: number;
  /** The call with this number, from 1, once it is here. */
  call(number: number, timeoutMs?: number): Promise<UpstreamRequest>;
  /** From now on, for every model or for one. */
  behave(behaviour: Behaviour): void;
  behaveFor(model: string, behaviour: Behaviour): void;
  /** Forgets the requests so far, so that attempts count from 1 again. */
  forget(): void;
}

const usualTimeoutMs = 5_000;
const pollMs = 2;

export async function startUpstream(options: UpstreamOptions = {}, port = 0): Promise<Upstream> {
  const { models = Object.keys(behaviours), pages = {} } = options;
  const requests: UpstreamRequest[] = [];
  const sockets = new Set<Socket>();
  const byModel = new Map<string, Behaviour>();
  let usual = options.behaviour;

  const decide = (request: UpstreamRequest): Behaviour => {
    const page = pages[`${request.method} ${request.path}`];
    if (page) return page;
    if (!request.isCall) return (_, reply) => answerPage(request, reply, models);
    return byModel.get(request.model ?? "") ?? usual ?? decideBehaviour(request.model ?? "");
  };
  const serve = async (socket: Socket, read: ReadRequest): Promise<boolean> => {
    const gone = new AbortController();
    const request = noteRequest(read, requests, gone.signal);
    const onGone = (): void => gone.abort();
    socket.once("close", onGone).once("end", onGone);
    const reply = new Reply(socket, gone.signal);
    try {
      await decide(request)(request, reply);
      request.answered();
    } catch (error) {
      if (!(error instanceof ClientLeft)) throw error;
      gone.abort(); // a reset is an error of the write before it is the end of the socket
    } finally {
      socket.off("close", onGone).off("end", onGone);
    }
    return reply.keepsAlive && request.headers["connection"] !== "close" && !gone.signal.aborted;
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket)).on("error", () => {});
    const reader = new RequestReader();
    let busy = false;
    const next = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      for (let read = reader.next(); read; read = reader.next())
        if (!(await serve(socket, read))) return socket.destroySoon();
      busy = false;
    };
    socket.on("data", (chunk) => {
      reader.push(chunk);
      void next();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  const calls = (): UpstreamRequest[] => requests.filter(({ isCall }) => isCall);
  return {
    port: address.port,
    origin: `http://127.0.0.1:${address.port}`,
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    requests,
    get calls() {
      return calls();
    },
    get connections() {
      return sockets.size;
    },
    async call(number, timeoutMs = usualTimeoutMs) {
      const deadline = performance.now() + timeoutMs;
      while (performance.now() < deadline) {
        const request = calls()[number - 1];
        if (request) return request;
        await sleep(pollMs);
      }
      throw new Error(`The stand-in has not seen call ${number} within ${timeoutMs} ms.`);
    },
    behave: (behaviour) => void (usual = behaviour),
    behaveFor: (model, behaviour) => void byModel.set(model, behaviour),
    forget: () => void (requests.length = 0),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** https://platform.openai.com/docs/api-reference/models */
function answerPage({ method, path }: UpstreamRequest, reply: Reply, models: readonly string[]): void {
  const list = models.map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: "stand-in" }));
  if (method === "GET" && path === "/v1/models") return reply.send(200, JSON.stringify({ object: "list", data: list }));
  const message = `There is no ${method} ${path} here.`;
  reply.send(404, JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } }));
}
