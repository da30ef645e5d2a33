/** Parts of route definitions that several concerns share. */
import { z } from "@hono/zod-openapi";
import { nodeIdSchema } from "../../shared/registry/messages.ts";
import { problemContentType, problemSchema } from "../../shared/problem.ts";

/**
 * The same schema under a name of the OpenAPI document. It is cloned because schemas made before the OpenAPI
 * extension was loaded, as those of shared/ are, lack its methods.
 */
export function named<T extends z.ZodType>(name: string, schema: T): T {
  return schema.clone().openapi(name);
}

const problem = named("Problem", problemSchema);

export const answerOf = <T extends z.ZodType>(description: string, schema: T) => ({
  200: { description, content: { "application/json": { schema } } },
  ...refusals,
});

export const emptyAnswer = (description: string) => ({ 204: { description }, ...refusals });

export const bodyOf = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { "application/json": { schema } } },
});

/** The answer to whatever a route does not accept. */
export const refusals = {
  default: { description: "Refused", content: { [problemContentType]: { schema: problem } } },
};

export const nodeParams = z.object({ node: nodeIdSchema.clone().openapi({ description: "The node's public key" }) });
export const relayParams = z.object({ relay: nodeIdSchema.clone().openapi({ description: "The relay's public key" }) });
