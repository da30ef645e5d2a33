/**
 * Stands in for the edge's inbox where only the node's side is tested: it has what a test puts there and hands out the
 * oldest of each hook until they are settled, as the edge does. It neither checks signatures nor waits long for anything.
 * The real one is under test/workers/inbox, and both meet in test/system.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { systemClock } from "../../../shared/clock.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { fromHex } from "../../../shared/hex.ts";
import { inboxSchema, outcomesSchema, type InboxDeclaration, type Outcome } from "../../../shared/inbox/messages.ts";
import { sealWebhook } from "../../../shared/inbox/sealed-webhook.ts";
import { parseWebhookSecret, signWebhook, toBase64 } from "../../../shared/inbox/webhook-signature.ts";
import { identityOfPem, generateIdentityPem } from "../../../shared/nodejs/identity-file.ts";
import { problemContentType, problemOf } from "../../../shared/problem.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

export interface EdgeInbox extends AsyncDisposable {
  readonly node: NodeId;
  readonly client: EdgeClient;
  readonly declarations: InboxDeclaration[];
  readonly outcomes: (Outcome & { hook: string | undefined })[];
  /** Method and path of each request, with its query. */
  readonly requests: string[];
  /** Answers that come before those that are right: a code of the vocabulary, or what to do to the connection. */
  readonly faults: { path: string; fault: ErrorCode | "lost answer" }[];
  /** Seals and signs as the edge does; or to another key, for another hook, with another signature. */
  put(
    hook: string,
    body: string,
    spoiled?: { key?: Uint8Array<ArrayBuffer>; hook?: string; signature?: string },
  ): Promise<number>;
  dead: number;
}

interface Kept {
  hook: string;
  sequence: number;
  sealed: string;
  attempts: number;
}

const pollMs = 20;

export async function startEdgeInbox(): Promise<EdgeInbox> {
  const { id: node, signingKey } = await identityOfPem(generateIdentityPem(), Date.now());
  const kept: Kept[] = [];
  let sequence = 0;
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const edge = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const signer = { id: node, role: "postern-node", privateKey: signingKey } as const;

  const world: EdgeInbox = {
    node,
    client: new EdgeClient({ edge, signer, clock: systemClock, fetch }),
    declarations: [],
    outcomes: [],
    requests: [],
    faults: [],
    dead: 0,
    async put(hook, body, spoiled = {}) {
      const { key, secret } = world.declarations.at(-1) ?? { key: "", secret: "" };
      const [id, timestamp, bytes] = [`msg_${++sequence}`, "1700000000", Uint8Array.from(Buffer.from(body))];
      const mark = sequence;
      const signed = await signWebhook(parseWebhookSecret(secret) ?? bytes, { id, timestamp, body: bytes });
      const sealed = await sealWebhook(
        spoiled.key ?? fromHex(key) ?? bytes,
        { node, hook: spoiled.hook ?? hook },
        {
          id,
          timestamp,
          signature: spoiled.signature ?? signed,
          headers: { "content-type": "text/plain" },
          body: bytes,
        },
      );
      kept.push({ hook, sequence: mark, sealed: toBase64(sealed), attempts: 0 });
      return mark;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", edge);
    const body = await text(request);
    world.requests.push(`${request.method} ${url.pathname.replace(`/v1/nodes/${node}`, "")}${url.search}`);
    const at = world.faults.findIndex(({ path }) => url.pathname.endsWith(path));
    const [fault] = at === -1 ? [] : world.faults.splice(at, 1);
    if (fault && fault.fault !== "lost answer") return refuse(response, fault.fault);
    const told = await handle(request.method ?? "", url, body);
    if (fault) return void response.destroy();
    response.writeHead(told === undefined ? 204 : 200).end(told === undefined ? undefined : JSON.stringify(told));
  }

  async function handle(method: string, url: URL, body: string): Promise<object | undefined> {
    if (method === "PUT") world.declarations.push(inboxSchema.parse(JSON.parse(body)));
    else if (method === "POST") settle(outcomesSchema.parse(JSON.parse(body)).outcomes);
    else return { deliveries: await oldest(url.searchParams), dead: world.dead };
    return undefined;
  }

  function settle(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const at = kept.findIndex((one) => one.sequence === outcome.sequence);
      world.outcomes.push({ ...outcome, hook: kept[at]?.hook });
      if (at !== -1 && outcome.outcome !== "failed") kept.splice(at, 1);
    }
  }

  async function oldest(query: URLSearchParams): Promise<object[]> {
    const except = (query.get("except") ?? "").split(",");
    const until = Date.now() + Math.min(Number(query.get("wait")), 200);
    for (;;) {
      const due = kept.filter(({ hook }) => !except.includes(hook));
      if (due.length > 0 || Date.now() > until)
        return due.map((one) => ({
          hook: one.hook,
          sequence: one.sequence,
          sealed: one.sealed,
          attempt: ++one.attempts,
        }));
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  return world;
}

function refuse(response: ServerResponse, code: ErrorCode): void {
  const problem = problemOf(code, "as the test wants it", "request");
  response.writeHead(problem.status, { "content-type": problemContentType }).end(JSON.stringify(problem));
}
