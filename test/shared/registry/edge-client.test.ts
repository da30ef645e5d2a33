import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ed25519KeyOfSpki } from "../../../shared/certificate/ed25519-spki.ts";
import { systemClock } from "../../../shared/clock.ts";
import { problemOf } from "../../../shared/problem.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import { nodeIdOfKey } from "../../../shared/registry/node-id.ts";
import { verifyRequest } from "../../../shared/signature/signed-request.ts";
import { refusalOfAsync } from "../refusal.ts";

const keys = generateKeyPairSync("ed25519");
const raw = ed25519KeyOfSpki(keys.publicKey.export({ type: "spki", format: "der" })) ?? new Uint8Array();
const signer = {
  id: nodeIdOfKey(raw),
  role: "postern-node" as const,
  privateKey: keys.privateKey.toCryptoKey("Ed25519", false, ["sign"]),
};
const answerSchema = z.object({ answer: z.int() });

interface Edge extends AsyncDisposable {
  origin: string;
  client: EdgeClient;
}

async function startEdge(listener: RequestListener): Promise<Edge> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    client: new EdgeClient({ edge: origin, signer, clock: systemClock, fetch }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answering =
  (status: number, body: string, type = "application/json"): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": type }).end(body);
  };

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("EdgeClient", () => {
  it("sends a signed request that the edge can verify, and gives the checked answer", async () => {
    let verified: unknown;
    let received = "";
    const check = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await bodyOf(request);
      received = `${request.method} ${request.url} ${request.headers["content-type"]} ${body.toString()}`;
      const headers = new Headers(request.headers as Record<string, string>);
      const asked = new Request(`http://${request.headers.host}${request.url}`, {
        method: request.method ?? "",
        headers,
      });
      verified = await verifyRequest(asked, body, { role: "postern-node", now: Date.now() });
      response.end('{"answer":42,"more":"is ignored"}');
    };
    await using edge = await startEdge((request, response) => void check(request, response));
    const answer = await edge.client.request("PUT", "/v1/x?y=1", answerSchema, { body: { epoch: 1 } });
    expect(answer).toEqual({ answer: 42 });
    expect(received).toBe('PUT /v1/x?y=1 application/json {"epoch":1}');
    expect(verified).toMatchObject({ id: signer.id });
  });

  it("throws the edge's own code and detail for a problem", async () => {
    await using edge = await startEdge(answering(409, JSON.stringify(problemOf("name-taken", "It is Bob's."))));
    await expect(edge.client.request("PUT", "/", answerSchema)).rejects.toMatchObject({
      code: "name-taken",
      detail: "It is Bob's.",
    });
  });

  it.each([
    ["a page of a proxy", 502, "<html>Bad gateway</html>", "internal"],
    ["a failure without a body", 500, "", "internal"],
    ["a problem of an unknown code", 400, '{"code":"surprise"}', "internal"],
    ["an answer that is no JSON", 200, "{", "upstream-unavailable"],
    ["an answer without a body", 200, "", "upstream-unavailable"],
    ["an answer of another form", 200, '{"answer":"42"}', "upstream-unavailable"],
    ["an answer beyond 1 MiB", 200, `{"answer":1,"x":"${"x".repeat(1024 * 1024)}"}`, "too-large"],
  ])("throws for %s", async (_, status, body, code) => {
    await using edge = await startEdge(answering(status, body));
    expect(await refusalOfAsync(() => edge.client.request("GET", "/", answerSchema))).toBe(code);
  });

  it("stops reading an answer that has no end", async () => {
    await using edge = await startEdge((_, response) => {
      const block = Buffer.alloc(64 * 1024, 0x20);
      const pour = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on("drain", pour);
      pour();
    });
    expect(await refusalOfAsync(() => edge.client.request("GET", "/", answerSchema))).toBe("too-large");
  });

  it("follows no redirect, which would carry the signature elsewhere", async () => {
    let visits = 0;
    await using other = await startEdge((_, response) => (visits++, response.end('{"answer":1}')));
    await using edge = await startEdge((_, response) =>
      response.writeHead(307, { location: `${other.origin}/` }).end(),
    );
    expect(await refusalOfAsync(() => edge.client.request("GET", "/", answerSchema))).toBe("upstream-unavailable");
    expect(visits).toBe(0);
  });

  it("throws when nobody listens", async () => {
    const edge = await startEdge(answering(200, "{}"));
    await edge[Symbol.asyncDispose]();
    const attempt = edge.client.request("GET", "/", answerSchema);
    await expect(attempt).rejects.toMatchObject({ code: "upstream-unavailable" });
    await expect(attempt).rejects.toThrow(edge.origin);
  });

  it("throws when the connection is cut in mid-answer", async () => {
    await using edge = await startEdge((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"answer"', () => response.destroy());
    });
    expect(await refusalOfAsync(() => edge.client.request("GET", "/", answerSchema))).toBe("upstream-unavailable");
  });

  it("rejects with the caller's reason when the caller gives up", async () => {
    const controller = new AbortController();
    const reason = new Error("stopping");
    await using edge = await startEdge(() => controller.abort(reason));
    const attempt = edge.client.request("GET", "/", answerSchema, { signal: controller.signal });
    await expect(attempt).rejects.toBe(reason);
  });

  it("gives up on an edge that never answers", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await using edge = await startEdge(() => resolve());
    const client = new EdgeClient({
      edge: edge.origin,
      signer,
      clock: systemClock,
      timeoutMs: 100,
      fetch,
    });
    const attempt = refusalOfAsync(() => client.request("GET", "/", answerSchema));
    await asked;
    expect(await attempt).toBe("upstream-unavailable");
  });
});
