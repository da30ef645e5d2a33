import { isSamePerson } from "../access/policy.ts";
import type { BotState } from "../bot-state.ts";
import { chatName, type MessageEvent } from "../events/event.ts";
import { ModelError } from "../model/model-error.ts";
import type { OfferedModel } from "../model/model.ts";
import { allowedModels, decideCurrent } from "./choose-model.ts";
import type { Command } from "./command.ts";
import type { ModelsOptions } from "./models.ts";
import type { SignalSettings } from "../settings.ts";
import { codeSpan } from "./words.ts";

export interface StatusOptions extends ModelsOptions {
  settings: ModelsOptions["settings"] & Pick<SignalSettings, "operators">;
  state: () => BotState;
}

/** In words; numbers, which tell of others, are for operators. */
export function statusCommand(options: StatusOptions): Command {
  return {
    name: "status",
    aliases: [],
    usage: "!status",
    summary: "says whether everything works",
    detail:
      "Says whether this bot, its way to Signal, and the model of this chat work just now, and by which id the operator can let you in.",
    run: async ({ event, signal }) => {
      const { settings, state } = options;
      const models = await listOrTrouble(options, signal);
      const wanted = (await options.people.read(chatName(event.chat))).model ?? settings.model;
      const now = state();
      const lines = [
        `**Bot:** ${now.isStoreAway ? "its memory cannot be reached; messages wait" : "works"}`,
        `**Signal:** ${now.sending.pause ? "replies are held back for the moment" : "works"}`,
        `**Model:** ${describeModels(models, wanted, settings)}`,
        describeId(event),
        ...(isOperator(event, settings) ? [`**Numbers:** ${describeNumbers(now)}`] : []),
      ];
      return { text: lines.join("\n") };
    },
  };
}

/** What there is, or why that is not known. */
async function listOrTrouble({ model }: StatusOptions, signal: AbortSignal): Promise<OfferedModel[] | string> {
  try {
    return await model.list(signal);
  } catch (error) {
    if (error instanceof ModelError) return error.sentence;
    throw error;
  }
}

function describeModels(
  models: OfferedModel[] | string,
  wanted: string | undefined,
  { privacy }: StatusOptions["settings"],
): string {
  if (typeof models === "string") return models;
  const current = decideCurrent(wanted, allowedModels(models, privacy));
  if (!current) return "none is there now";
  return `${codeSpan(current.id)} ${current.offered ? "is there" : "is not there now; `!models` lists the others"}`;
}

/** As the settings' lists take it: Signal shows it to nobody. */
function describeId({ chat }: MessageEvent): string {
  return chat.kind === "direct"
    ? `**Your id:** ${codeSpan(chat.person)}`
    : `**This group's id:** ${codeSpan(chat.group)}`;
}

function describeNumbers({ answered, mailbox, reactions, sending }: BotState): string {
  const { waiting, inHand, replies, undecidable, dead } = mailbox;
  const parts = [
    `${answered} answered since I started`,
    `${waiting} waiting`,
    `${inHand} in hand`,
    `${replies} to send`,
    `${undecidable} undecidable`,
    `${dead} put aside`,
    `👍 ${reactions.up}, 👎 ${reactions.down}`,
  ];
  return [parts.join(", "), ...sending.troubles.map(({ text }) => `- ${text}`)].join("\n");
}

function isOperator({ person }: MessageEvent, { operators }: Pick<SignalSettings, "operators">): boolean {
  return operators.some((one) => isSamePerson(one, person));
}
