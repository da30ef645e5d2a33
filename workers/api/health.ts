import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Edge } from "./context.ts";
import { named } from "./schemas.ts";
import { readConfig } from "../config.ts";
import { version } from "../../shared/version.ts";

const healthSchema = z.object({
  ok: z.boolean(),
  version: z.string(),
  zone: z.string().optional(),
  issuer: z.string().optional(),
  /** What keeps the edge from working (`ok` is false), or keeps a part of it from working. */
  problems: z.array(z.string()),
});

/** `GET /healthz`: whether the edge is set up, and what is missing if not. Public. */
export function healthRoutes(): OpenAPIHono<Edge> {
  const content = { "application/json": { schema: named("Health", healthSchema) } };
  return new OpenAPIHono<Edge>().openapi(
    createRoute({
      method: "get",
      path: "/healthz",
      summary: "Whether the edge is set up, and what is missing if not",
      responses: { 200: { description: "It is", content }, 503: { description: "It is not", content } },
    }),
    (c) => {
      const read = readConfig(c.env);
      if (!read.ok) return c.json({ ok: false, version, problems: [...read.problems] }, 503);
      const { zone, issuer } = read.config;
      return c.json({ ok: true, version, zone, issuer, problems: [...read.warnings] }, 200);
    },
  );
}
