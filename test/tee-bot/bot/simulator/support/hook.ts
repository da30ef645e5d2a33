/** A webhook as the bot has one: it keeps what it got and answers as it is told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Hook extends AsyncDisposable {
  readonly port: number;
  /** Without credentials. */
  readonly url: string;
  readonly posted: Posted[];
  /** Envelopes, in the order in which they came. */
  readonly envelopes: () => EnvelopeLike[];
  /** Texts of messages, in the order in which they came. */
  readonly texts: () => (string | null)[];
  /** Status of the answer, with a location for redirects; a promise holds it back. */
  answer: (posted: Posted) => Answer | Promise<Answer>;
}

export interface EnvelopeLike extends Record<string, unknown> {
  readonly sourceUuid: string;
  readonly sourceNumber: string | null;
  readonly timestamp: number;
  readonly dataMessage?: { readonly message: string | null } & Record<string, unknown>;
}

interface Answer {
  readonly status: number;
  readonly location?: string;
}

export async function startHook(): Promise<Hook> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    const { method = "", url: path = "", headers } = request;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const given = { method, path, headers, body: Buffer.concat(chunks).toString() };
      posted.push(given);
      void answer(given, response);
    });
  });
  const answer = async (given: Posted, response: ServerResponse): Promise<void> => {
    const { status, location } = await hook.answer(given);
    response.writeHead(status, location === undefined ? {} : { location }).end();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const envelopes = (): EnvelopeLike[] =>
    posted
      .filter(({ body }) => body !== "")
      .map(({ body }) => (JSON.parse(body) as { params: { envelope: EnvelopeLike } }).params.envelope);
  const hook: Hook = {
    port,
    url: `http://127.0.0.1:${port}/hooks/signal`,
    posted,
    envelopes,
    texts: () => envelopes().flatMap(({ dataMessage }) => (dataMessage ? [dataMessage.message] : [])),
    answer: () => ({ status: 200 }),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return hook;
}
