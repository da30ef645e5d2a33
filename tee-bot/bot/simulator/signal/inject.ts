/** A line of signal-cli from elsewhere, put among what waits for the bot; whoever is named in it becomes known. */
import { z } from "zod";
import { AppError } from "../../../../shared/errors.ts";
import type { SeenAttachment } from "./seen-message.ts";
import { plainMessage } from "./seen-message.ts";
import { conversationOfGroup } from "./phones.ts";
import type { World } from "./world.ts";

const attachmentSchema = z.looseObject({
  id: z.string(),
  contentType: z.string().default("application/octet-stream"),
  filename: z.string().nullish(),
  size: z.number().default(0),
});
const dataMessageSchema = z.looseObject({
  message: z.string().nullish(),
  expiresInSeconds: z.number().default(0),
  viewOnce: z.boolean().default(false),
  attachments: z.array(attachmentSchema).default([]),
  groupInfo: z.looseObject({ groupId: z.string(), groupName: z.string().nullish() }).nullish(),
});
const envelopeSchema = z.looseObject({
  sourceUuid: z.string(),
  sourceNumber: z.string().nullish(),
  sourceName: z.string().nullish(),
  timestamp: z.int(),
  dataMessage: dataMessageSchema.nullish(),
});
const paramsSchema = z.looseObject({ envelope: envelopeSchema });
const lineSchema = z.looseObject({
  params: z.union([paramsSchema, z.looseObject({ result: paramsSchema }).transform(({ result }) => result)]),
});

export function injectLine(world: World, line: string | object): void {
  const value: unknown = typeof line === "string" ? JSON.parse(line) : line;
  const text = typeof line === "string" && !line.includes("\n") ? line : JSON.stringify(value);
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) throw new AppError("bad-request", `This is no line of signal-cli: ${parsed.error.message}`);
  const { envelope } = parsed.data.params;
  const { timestamp } = envelope;
  const { from, conversation, attachments } = show(world, envelope);
  const shown = conversation === undefined ? {} : { conversation };
  world.mailbox.post({ from, timestamp, content: { line: text }, attachments, ...shown });
}

interface Shown {
  readonly from: string;
  /** Of a message that has a text or attachments. */
  readonly conversation?: string;
  readonly attachments: readonly SeenAttachment[];
}

function show(world: World, envelope: z.infer<typeof envelopeSchema>): Shown {
  const { sourceUuid: uuid, sourceNumber, sourceName, timestamp, dataMessage } = envelope;
  if (uuid === world.account.uuid) return { from: world.account.name, attachments: [] };
  const person = world.directory.learn({ uuid, number: sourceNumber ?? undefined, name: sourceName ?? uuid });
  const from = person.name;
  const info = dataMessage?.groupInfo;
  const group = info && world.directory.learnGroup({ id: info.groupId, name: info.groupName ?? "", member: from });
  const attachments = (dataMessage?.attachments ?? []).map(({ id, contentType, filename, size }) => {
    return { id, contentType, filename: filename ?? null, size };
  });
  if (!dataMessage || (!dataMessage.message && attachments.length === 0)) return { from, attachments };
  const conversation = group ? conversationOfGroup(group.name) : from;
  const { viewOnce, expiresInSeconds } = dataMessage;
  const text = dataMessage.message ?? "";
  const message = { ...plainMessage, conversation, from, timestamp, text, attachments, viewOnce, expiresInSeconds };
  world.phones.show(message);
  return { from, conversation, attachments };
}
