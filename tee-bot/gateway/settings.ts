/** The gateway's part of `postern.yaml`. Everything has a default: an empty file is a working gateway. */
import { z } from "zod";
import { tcbStatuses } from "../../shared/attestation/policy.ts";
import { privacyRules, strategies } from "./routing/route.ts";

const seconds = z.number().positive().max(86_400);
const count = z.int().positive().max(1_000_000);
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "lower-case letters, digits, dots, dashes; at most 64");

/** Where a key of a provider is: never in the file itself. */
const secretSource = {
  keyEnv: z.string().min(1).optional(),
  keyFile: z.string().min(1).optional(),
};

/** Whose machine it is, in the eyes of the privacy rule; undefined: the user's own on this machine, else anybody's. */
const trust = z.enum(["local", "plain"]).optional();

const providerSettings = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("ollama"), id: name, url: z.url(), trust, ...secretSource }),
  z.strictObject({ kind: z.literal("lm-studio"), id: name, url: z.url(), trust, ...secretSource }),
  z.strictObject({
    kind: z.literal("openai"),
    id: name,
    /** The base URL, as an OpenAI client takes it: `https://api.example.com/v1`. */
    url: z.url(),
    /** Whose machine it is, in the eyes of the privacy rule. */
    trust: z.enum(["local", "plain"]).default("plain"),
    /** Models to offer; undefined: what it lists. */
    models: z.array(z.string()).optional(),
    ...secretSource,
  }),
  z.strictObject({
    kind: z.literal("near-ai"),
    id: name.default("near"),
    url: z.url().default("https://cloud-api.near.ai/v1"),
    /** Offer also models that run outside a TEE. */
    unattested: z.boolean().default(false),
    /** How the firmware of its machines may be, by Intel's words. */
    tcb: z
      .array(z.enum(tcbStatuses).exclude(["Revoked"]))
      .min(1)
      .default(["UpToDate"]),
    /** Of Intel, that may be open there: `INTEL-SA-01234`. */
    advisories: z.array(z.string()).default([]),
    /** `required`: an answer is held until its signature by the model's TEE was verified. */
    answers: z.enum(["check", "required"]).default("check"),
    /** `attested`: calls go only over connections to a key that the gateway's own quote names. */
    connection: z.enum(["public", "attested"]).default("public"),
    ...secretSource,
  }),
]);

const embeddedModel = z.strictObject({
  /** A GGUF file. */
  path: z.string().min(1),
  /** The file's name without `.gguf`, if none is given. */
  id: z.string().min(1).optional(),
  /** Tokens, for each answer at a time; undefined: what the model was trained with, 8,192 at most. */
  contextSize: count.optional(),
});

/** A name of the node's own for models, tried in this order: `provider/model`, or `model` of whoever has it. */
const alias = z.union([
  z.array(z.string().min(1)).min(1),
  z.strictObject({
    models: z.array(z.string().min(1)).min(1),
    /** `whole`: answers are held until they are complete, so that another model can take over until then. */
    delivery: z.enum(["stream", "whole"]).default("stream"),
  }),
]);

export const gatewaySettingsSchema = z.strictObject({
  strategy: z.enum(strategies).default("prefer-local"),
  privacy: z.enum(privacyRules).default("any"),
  /** Where an API key is asked for. */
  keys: z
    .strictObject({
      public: z.enum(["required", "off"]).default("required"),
      loopback: z.enum(["required", "off"]).default("off"),
    })
    .prefault({}),
  /** Looking for providers on this machine. `auto`: at the usual port. */
  discovery: z
    .strictObject({
      ollama: z.enum(["auto", "off"]).default("auto"),
      lmStudio: z.enum(["auto", "off"]).default("auto"),
      everySeconds: seconds.default(15),
    })
    .prefault({}),
  providers: z.array(providerSettings).default([]),
  embedded: z
    .strictObject({
      /** The toy model that ships with Postern. */
      demo: z.boolean().default(true),
      models: z.array(embeddedModel).default([]),
      /** The engine is stopped when nobody has asked it for so long. */
      idleSeconds: seconds.default(600),
    })
    .prefault({}),
  aliases: z.record(z.string().min(1), alias).default({}),
  limits: z
    .strictObject({
      bodyMiB: z.number().positive().max(1_024).default(32),
      /** Calls under way at once, over all clients. */
      concurrent: count.default(256),
      /** Calls that wait for their turn. */
      queued: count.default(512),
      queueSeconds: seconds.default(30),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      connectSeconds: seconds.default(5),
      /** To the first token, or to the answer when it is no stream. */
      firstTokenSeconds: z.strictObject({ local: seconds.default(300), cloud: seconds.default(60) }).prefault({}),
      /** Between two pieces of a stream. */
      idleSeconds: seconds.default(60),
      /** For a client that sends nothing of its body, or takes nothing of its stream. */
      clientSeconds: seconds.default(60),
    })
    .prefault({}),
  retry: z
    .strictObject({
      /** Attempts at one provider, and at all together. */
      perProvider: z.int().min(1).max(5).default(2),
      total: z.int().min(1).max(10).default(4),
      /** A `Retry-After` up to this is waited for; beyond, the next provider is asked. */
      waitSeconds: z.number().min(0).max(60).default(2.5),
    })
    .prefault({}),
  /** What is remembered of requests; never their content. */
  requests: z.strictObject({ keep: count.default(100_000), days: z.number().positive().default(30) }).prefault({}),
});

export type GatewaySettings = z.infer<typeof gatewaySettingsSchema>;
export type ProviderSettings = z.infer<typeof providerSettings>;
export type EmbeddedModelSettings = z.infer<typeof embeddedModel>;
