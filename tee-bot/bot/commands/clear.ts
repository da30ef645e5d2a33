import { isSamePerson } from "../access/policy.ts";
import type { ConversationStore } from "../conversations/conversation-store.ts";
import { chatName } from "../events/event.ts";
import type { SignalSettings } from "../settings.ts";
import type { BotWork, Command } from "./command.ts";
import { countOf } from "./words.ts";

export interface ClearOptions {
  settings: Pick<SignalSettings, "groups" | "operators">;
  conversations: Pick<ConversationStore, "clear">;
  work: Pick<BotWork, "forget">;
}

export function clearCommand({ settings, conversations, work }: ClearOptions): Command {
  return {
    name: "clear",
    aliases: ["new"],
    usage: "!clear",
    summary: "forgets this conversation and begins a new one",
    detail:
      "Forgets what was said in this chat, so that the next question begins a new conversation. Also `!new`. What you chose by `!model` stays; `!forget me` removes everything.",
    refusal: ({ chat, person }) => {
      if (chat.kind === "direct" || settings.groups.clear === "anyone") return undefined;
      if (settings.operators.some((one) => isSamePerson(one, person))) return undefined;
      return "In groups, only my operators may clear the conversation. `!forget me` removes what you said.";
    },
    run: async ({ event: { chat } }) => {
      work.forget({ chat });
      const cleared = await conversations.clear(chatName(chat));
      if (cleared === 0) return { text: "There was nothing to forget here." };
      return { text: `Forgotten: ${countOf(cleared, "message")}. We begin anew.` };
    },
  };
}
