/** The Signal bot's part of `postern.yaml`. Without the address of a REST server there is no bot. */
import { z } from "zod";
import { privacyRules } from "../gateway/routing/route.ts";
import { storageModes } from "../store/storage-key.ts";
import { defaultMaxUnits } from "./format/split.ts";
import { usualHistoryLimits } from "./conversations/history.ts";

export const defaultHookPort = 8_146;

const count = z.int().positive().max(1_000_000);
const hourMs = 60 * 60 * 1000;
/** An ACI: what Signal knows a person by. */
const person = z.uuid();
/** As envelopes have it, or as the REST server has it. */
const group = z.union([z.base64().length(44), z.string().regex(/^group\.[A-Za-z0-9+/=_-]+$/)]);

const chatPolicies = ["open", "allow-list", "pairing"] as const;

const receiveSettings = z.strictObject({
  /** Who takes in messages: the node, or `postern signal receive` beside it, which goes on while the node is down. */
  by: z.enum(["node", "own-process"]).default("node"),
  /** Where the REST server posts events, on `host`. */
  port: z.int().min(0).max(65_535).default(defaultHookPort),
  host: z.string().min(1).default("127.0.0.1"),
  /** The password of the webhook's address; undefined: a file of the state directory, made at the first start. */
  secretFile: z.string().min(1).optional(),
  /** Take them at `/hooks/signal` of the node's public name too. */
  public: z.boolean().default(false),
  /** Also listen at the REST server's WebSocket, in case a webhook is lost. */
  websocket: z.boolean().default(true),
  /** Older messages that come in are not answered. */
  maxAgeHours: z.number().positive().max(720).default(24),
  /** After so many attempts a message is put aside. */
  attempts: z.int().min(1).max(100).default(8),
});

export const signalSettingsSchema = z.strictObject({
  /** Of signal-cli-rest-api, such as `http://127.0.0.1:8080`. */
  api: z.url({ protocol: /^https?$/ }).optional(),
  /** The bot's own number; undefined: the only account there is. */
  account: z
    .string()
    .regex(/^\+[1-9]\d{4,15}$/, "a number with its country, such as +15550000001")
    .optional(),
  receive: receiveSettings.prefault({}),
  /** Undefined: the first that the gateway offers. */
  model: z.string().min(1).optional(),
  /** Who may read what people write; as the gateway's rule where that is stricter. */
  privacy: z.enum(privacyRules).default("any"),
  /** Chat only while this node's own evidence is good. */
  requireProof: z.boolean().default(false),
  systemPrompt: z.string().max(32_768).default("You are a helpful assistant. Answer briefly, as in a chat."),
  /** For one answer. */
  answerSeconds: z.number().positive().max(3_600).default(300),
  history: z
    .strictObject({
      messages: z.int().positive().max(1_000).default(usualHistoryLimits.maxMessages),
      hours: z
        .number()
        .positive()
        .max(8_760)
        .default(usualHistoryLimits.ttlMs / hourMs),
      /** Undefined: durable in a TEE, else ephemeral. */
      mode: z.enum(storageModes).optional(),
    })
    .prefault({}),
  people: z
    .strictObject({ policy: z.enum(chatPolicies).default("open"), allowed: z.array(person).default([]) })
    .prefault({}),
  groups: z
    .strictObject({
      policy: z.enum([...chatPolicies, "off"]).default("open"),
      allowed: z.array(group).default([]),
      /** `addressed`: a mention, a reply to the bot, or a command. */
      answer: z.enum(["addressed", "all"]).default("addressed"),
      /** Who may `!clear` a group: whoever is in it, or those of `operators`. */
      clear: z.enum(["anyone", "operators"]).default("anyone"),
    })
    .prefault({}),
  /** People who are told of troubles, and may do more in groups. */
  operators: z.array(person).default([]),
  limits: z
    .strictObject({
      /** Messages of one person. */
      perMinute: count.default(20),
      perDay: count.default(500),
      /** Chats that are answered at once. */
      concurrent: z.int().positive().max(1_000).default(100),
      /** Replies per second to Signal, over all, and how many at once. */
      sendsPerSecond: z.number().positive().max(1_000).default(20),
      sendBurst: count.default(100),
    })
    .prefault({}),
  /** Characters (UTF-16) in one message of ours. */
  maxUnits: z.int().min(200).max(65_536).default(defaultMaxUnits),
  typing: z.boolean().default(true),
  readReceipts: z.boolean().default(true),
  /** Show an answer while it is written, by at most four edits. */
  progressive: z.boolean().default(false),
  /** Voice notes are made text here, or refused in words where there is no address. */
  transcriber: z
    .strictObject({
      /** The base URL of a server of OpenAI's transcription API, as a client of it takes it: `http://127.0.0.1:9000/v1`. */
      url: z.url({ protocol: /^https?$/ }).optional(),
      model: z.string().min(1).default("whisper-1"),
      keyEnv: z.string().min(1).optional(),
      keyFile: z.string().min(1).optional(),
    })
    .prefault({}),
});

export type SignalSettings = z.infer<typeof signalSettingsSchema>;
