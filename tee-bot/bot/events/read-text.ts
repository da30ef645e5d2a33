import type { RawMention } from "./envelope.ts";
import { isSelf, type Self } from "./self.ts";

/** Stands where somebody is mentioned; who it is stands beside the text. */
const mark = "\uFFFC";
/** Who else is mentioned is nothing that a model should know. */
const somebody = "@someone";

/** The text without the marks of mentions. That of the bot is left out, with the space behind it. Positions are UTF-16 units. */
export function readText(
  message: string,
  mentions: readonly RawMention[],
  self: Self,
): { text: string; isMention: boolean } {
  const isOfBot = new Map(mentions.map((mention) => [mention.start, isSelf(mention, self)]));
  const text = message.replaceAll(/\uFFFC ?/g, (found, at: number) => {
    const ofBot = isOfBot.get(at);
    if (ofBot === undefined) return found.slice(mark.length);
    return ofBot ? "" : somebody + found.slice(mark.length);
  });
  return { text, isMention: [...isOfBot.values()].includes(true) };
}
