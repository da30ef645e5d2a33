import type { ConversationStore } from "../conversations/conversation-store.ts";
import { chatName, type Chat } from "../events/event.ts";
import type { People } from "../people/people.ts";
import type { BotWork, Command } from "./command.ts";
import { countOf } from "./words.ts";

export interface ForgetOptions {
  conversations: Pick<ConversationStore, "forget">;
  people: Pick<People, "read" | "forget">;
  work: Pick<BotWork, "forget">;
}

export function forgetCommand({ conversations, people, work }: ForgetOptions): Command {
  return {
    name: "forget",
    aliases: [],
    usage: "!forget me",
    summary: "removes everything that I keep of you",
    detail:
      "Removes what you said to me and what I answered, in every chat and group, the model that you chose, and that we know each other. What is left is the number of your messages today, until midnight UTC.",
    run: async ({ event: { person }, rest }) => {
      if (rest.toLowerCase() !== "me")
        return { text: "To remove everything that I keep of you, in every chat, write `!forget me`." };
      const alone: Chat = { kind: "direct", person };
      work.forget({ person });
      const forgotten = await conversations.forget(person);
      const { isPaired } = await people.read(person);
      for (const name of [person, chatName(alone)]) await people.forget(name);
      const pairing = isPaired ? " To talk with me again you need a new pairing code." : "";
      return {
        text: `Done. I have forgotten ${countOf(forgotten, "message")} and all else that I kept of you.${pairing} Your own phone still has this chat.`,
      };
    },
  };
}
