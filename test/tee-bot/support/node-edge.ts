/**
 * Stands in for the edge where only a node's part is tested: real HTTP on a real port, answers as the test wants them,
 * faults among them. It checks that requests are signed by the node, and nothing else.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../../shared/clock.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { generateIdentityPem, identityOfPem, type Identity } from "../../../shared/nodejs/identity-file.ts";
import { problemContentType, problemOf } from "../../../shared/problem.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import type { Registration } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { verifyRequest } from "../../../shared/signature/signed-request.ts";

export interface EdgeRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: unknown;
}

/** A JSON body with status 200, a problem, text that is not JSON, no answer ever, or a connection that is dropped. */
export type Reply =
  | { json: unknown }
  | { problem: ErrorCode }
  | { text: string; status?: number }
  | "silence"
  | "dropped connection";

export const zone = "edge.test";

export class NodeEdge implements AsyncDisposable {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly requests: EdgeRequest[] = [];
  /** What is answered; the test replaces it as it likes. */
  reply: (request: EdgeRequest) => Reply = () => ({ problem: "not-found" });
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #watchers: (() => void)[] = [];

  constructor(identity: Identity, clock: Clock) {
    this.identity = identity;
    this.clock = clock;
  }

  static async start(clock: Clock): Promise<NodeEdge> {
    const edge = new NodeEdge(await identityOfPem(generateIdentityPem(), Date.now()), clock);
    edge.#server.listen(0, "127.0.0.1");
    await once(edge.#server, "listening");
    return edge;
  }

  get client(): EdgeClient {
    const { port } = this.#server.address() as AddressInfo;
    const { id, signingKey: privateKey } = this.identity;
    return new EdgeClient({
      edge: `http://127.0.0.1:${port}`,
      signer: { id, role: "postern-node", privateKey },
      clock: this.clock,
      fetch,
    });
  }

  /** `METHOD path` of every request so far. */
  get asked(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  /** Resolves once `count` requests of this kind have come. */
  async untilAsked(beginning: string, count = 1): Promise<void> {
    while (this.asked.filter((one) => one.startsWith(beginning)).length < count)
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  registration(changes: Partial<Registration> = {}): Registration {
    return {
      node: this.identity.id,
      epoch: 1,
      zone,
      hostnames: [idHostname(this.identity.id, zone)],
      expiresAt: this.clock.now() + 60_000,
      renewAfterMs: 20_000,
      relays: [{ relay: this.identity.id, host: "127.0.0.1", port: 8443, name: `relay.${zone}` }],
      paths: [],
      ...changes,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = new Uint8Array(Buffer.concat(chunks));
    const { method = "", url: path = "" } = request;
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const signed = new Request(`http://${request.headers.host}${path}`, { method, headers });
    await verifyRequest(signed, body, { role: "postern-node", now: this.clock.now() });

    const text = new TextDecoder().decode(body);
    const seen: EdgeRequest = { method, path, body: text === "" ? undefined : JSON.parse(text) };
    this.requests.push(seen);
    for (const watcher of this.#watchers.splice(0)) watcher();
    const reply = this.reply(seen);
    if (reply === "silence") return;
    if (reply === "dropped connection") return void request.socket.destroy();
    if ("text" in reply) return void response.writeHead(reply.status ?? 200).end(reply.text);
    if ("json" in reply)
      return void response.setHeader("content-type", "application/json").end(JSON.stringify(reply.json));
    const problem = problemOf(reply.problem, `The test says ${reply.problem}.`);
    response.writeHead(problem.status, { "content-type": problemContentType }).end(JSON.stringify(problem));
  }
}
