import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Edge } from "./context.ts";
import { version } from "../../shared/version.ts";

/** `GET /openapi.json`: every route of `app`, this one included. */
export function openapiRoutes(app: OpenAPIHono<Edge>): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>().openapi(
    createRoute({
      method: "get",
      path: "/openapi.json",
      summary: "This document",
      responses: {
        200: {
          description: "OpenAPI 3.1",
          content: { "application/json": { schema: z.looseObject({ openapi: z.string() }) } },
        },
      },
    }),
    (c) => {
      const document = app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: { title: "Postern edge", version, description },
        servers: [{ url: new URL(c.req.url).origin }],
      });
      return c.json(document as { openapi: string }, 200);
    },
  );
}

const description = `Names, certificates and routes of private nodes.

Requests marked as signed carry an HTTP Message Signature (RFC 9421) labelled \`postern\`: ed25519 over \`@method\`,
\`@target-uri\` and \`content-digest\` (RFC 9530, sha-256, also for an empty body), with the parameters \`created\`,
\`keyid\` (the public key, 64 hexadecimal characters), \`nonce\` (used once) and \`tag\` (\`postern-node\` or
\`postern-relay\`). A signature is good for five minutes.

Every refusal is \`application/problem+json\` (RFC 9457); \`code\` says which.`;
