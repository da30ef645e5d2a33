/** A conversation as one person's telephone shows it. */
import type { SeenMessage } from "../signal/seen-message.ts";
import type { World } from "../signal/world.ts";

/** Who looks, and at which conversation with the bot: the direct one, or that of a group. */
export interface Place {
  readonly person: string;
  readonly conversation: string;
}

export interface ConversationView {
  readonly messages: readonly MessageView[];
  /** Whether the bot types. */
  readonly typing: boolean;
  /** Seconds after which new messages disappear; 0: never. */
  readonly expiresInSeconds: number;
}

/** `from` is `you`, `bot`, or the name of another member of the group; who is called `you` is `You` to the others. */
export type MessageView = Omit<SeenMessage, "conversation" | "edits" | "missedBy"> & { readonly edited: boolean };

const [self, otherSelf] = ["you", "You"];

export function viewConversation({ phones }: World, { person, conversation }: Place): ConversationView {
  return {
    messages: phones.list(conversation).flatMap((message) => viewMessage(message, person) ?? []),
    typing: phones.isTyping(conversation),
    expiresInSeconds: phones.timer(conversation),
  };
}

/** Undefined where it did not reach the person. */
export function viewMessage(message: SeenMessage, person: string): MessageView | undefined {
  const { conversation: _, edits, missedBy, ...shown } = message;
  if (missedBy.includes(person)) return undefined;
  const nameFor = (name: string): string => (name === person ? self : name === self ? otherSelf : name);
  return {
    ...shown,
    from: nameFor(shown.from),
    edited: edits.length > 0,
    quote: shown.quote && { ...shown.quote, author: nameFor(shown.quote.author) },
    mentions: shown.mentions.map((mention) => ({ ...mention, name: nameFor(mention.name) })),
    reactions: shown.reactions.map(({ from, emoji }) => ({ from: nameFor(from), emoji })),
  };
}
