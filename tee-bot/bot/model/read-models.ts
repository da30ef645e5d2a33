/** The models that the gateway offers for chats: what the bot takes of `GET /v1/models`. */
import { z } from "zod";
import type { OfferedModel } from "./model.ts";

const listSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      postern: z.object({
        provider: z.string(),
        trust: z.enum(["local", "attested", "plain"]),
        attestation: z.string().optional(),
        vision: z.boolean().optional(),
        endpoints: z.array(z.string()).optional(),
        synonyms: z.array(z.string()).default([]),
        demo: z.boolean().default(false),
      }),
    }),
  ),
});

/** Throws for what is no such list. */
export function readModels(body: string): OfferedModel[] {
  return listSchema
    .parse(JSON.parse(body))
    .data.filter(({ postern }) => postern.endpoints?.includes("chat") ?? true)
    .map(({ id, postern: { provider, synonyms, trust, attestation, vision, demo } }) => {
      return { id, provider, synonyms, trust, attestation, hasVision: vision, isDemo: demo };
    });
}

/** Where nobody has chosen one: the toy only if there is nothing else. */
export function decideModel(models: readonly OfferedModel[]): OfferedModel | undefined {
  return models.find(({ isDemo }) => !isDemo) ?? models[0];
}
