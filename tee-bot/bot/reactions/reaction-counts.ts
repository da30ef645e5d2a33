/** Whether people like what the bot says: two numbers, and nothing of who or what. */
import type { ReactionEvent } from "../events/event.ts";

export class ReactionCounts {
  #up = 0;
  #down = 0;

  /** One that is taken back is taken off, as far as it was counted since the start. */
  count({ emoji, isRemoved }: Pick<ReactionEvent, "emoji" | "isRemoved">): void {
    const step = isRemoved ? -1 : 1;
    const thumb = emoji.replaceAll(skinTones, "");
    if (thumb === "👍") this.#up = Math.max(0, this.#up + step);
    if (thumb === "👎") this.#down = Math.max(0, this.#down + step);
  }

  get counts(): { readonly up: number; readonly down: number } {
    return { up: this.#up, down: this.#down };
  }
}

/** And the mark that asks for a coloured form: https://www.unicode.org/reports/tr51/#Emoji_Modifiers */
const skinTones = /[\u{1F3FB}-\u{1F3FF}]|\uFE0F/gu;
