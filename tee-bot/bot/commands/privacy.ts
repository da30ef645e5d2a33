import { chatName, type MessageEvent } from "../events/event.ts";
import { ModelError } from "../model/model-error.ts";
import { allowedModels, decideCurrent } from "./choose-model.ts";
import type { Command } from "./command.ts";
import type { ModelsOptions } from "./models.ts";
import { describePrivacy, type PrivacyFacts, type PrivacyOfChat } from "./privacy-text.ts";

export interface PrivacyOptions extends ModelsOptions {
  facts: PrivacyFacts;
}

export function privacyCommand(options: PrivacyOptions): Command {
  return {
    name: "privacy",
    aliases: [],
    usage: "!privacy",
    summary: "tells what is kept of what you write, where, and who can read it",
    detail:
      "Tells where I run, what is kept of what you write, how long, where and under which key, who answers, and what others can still see.",
    run: async ({ event, signal }) => {
      const model = await currentModel(options, event, signal);
      return { text: describePrivacy(options.facts, { isGroup: event.chat.kind === "group", model }) };
    },
  };
}

async function currentModel(
  { settings, people, model }: PrivacyOptions,
  { chat }: MessageEvent,
  signal: AbortSignal,
): Promise<PrivacyOfChat["model"]> {
  const { model: chosen } = await people.read(chatName(chat));
  try {
    return decideCurrent(chosen ?? settings.model, allowedModels(await model.list(signal), settings.privacy));
  } catch (error) {
    if (error instanceof ModelError) return undefined; // what is kept is told all the same
    throw error;
  }
}
