/** The edge as its clients see it: signed requests, feeds, CSRs. */
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { z } from "zod";
import { clock } from "./controls.ts";
import { edgeOrigin } from "./constants.ts";
import { freshIdentity, type TestIdentity } from "./identities.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import { registrationSchema, type Registration } from "../../../shared/registry/messages.ts";
import { problemContentType, problemSchema, type Problem } from "../../../shared/problem.ts";
import { signRequest, type SignerRole } from "../../../shared/signature/signed-request.ts";

/** Straight into the worker. */
export function edgeFetch(input: string, init: RequestInit = {}): Promise<Response> {
  const { redirect: _, ...rest } = init; // workerd knows no redirect: "error"
  return exports.default.fetch(new Request(input, rest));
}

export interface SignedParts {
  method: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
  role?: SignerRole;
  /** When it was signed. */
  now?: number;
}

/** A request as its signer would send it; tests spoil it afterwards. */
export async function signedRequest(signer: TestIdentity, parts: SignedParts): Promise<Request> {
  const { method, path, body, role = "postern-node", now = clock.now() } = parts;
  const url = new URL(path, edgeOrigin).href;
  const headers = await signRequest(
    {
      method,
      url,
      ...(body !== undefined && { body }),
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...parts.headers },
    },
    { id: signer.id, privateKey: signer.privateKey, role },
    now,
  );
  return new Request(url, { method, headers, ...(body !== undefined && { body }) });
}

export function send(request: Request): Promise<Response> {
  return exports.default.fetch(request);
}

export function clientOf({ id, privateKey }: TestIdentity, role: SignerRole = "postern-node"): EdgeClient {
  return new EdgeClient({
    edge: edgeOrigin,
    clock,
    signer: { id, privateKey, role },
    fetch: edgeFetch as typeof fetch,
  });
}

export interface TestNode extends TestIdentity {
  readonly client: EdgeClient;
  register(body?: object): Promise<Registration>;
  renew(epoch: number): Promise<Registration>;
  claim(alias: string): Promise<unknown>;
}

export async function testNode(identity?: TestIdentity): Promise<TestNode> {
  const node = identity ?? (await freshIdentity());
  const client = clientOf(node);
  return {
    ...node,
    client,
    register: (body = { version: "test" }) =>
      client.request("POST", `/v1/nodes/${node.id}/registration`, registrationSchema, { body }),
    renew: (epoch) => client.request("PUT", `/v1/nodes/${node.id}/lease`, registrationSchema, { body: { epoch } }),
    claim: (alias) => client.request("PUT", `/v1/aliases/${alias}`, anything),
  };
}

export const anything = { safeParse: (data: unknown) => ({ success: true, data }) } as z.ZodType;

export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe(problemContentType);
  const problem = problemSchema.parse(await response.json());
  expect(response.status).toBe(problem.status);
  expect(response.headers.get("x-request-id")).toBe(problem.requestId);
  return problem;
}
