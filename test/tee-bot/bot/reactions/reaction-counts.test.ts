import { expect, it } from "vitest";
import { ReactionCounts } from "../../../../tee-bot/bot/reactions/reaction-counts.ts";

it("thumbs are counted in any colour, taken off when they are taken back, and nothing else is", () => {
  const reactions = new ReactionCounts();
  const react = (emoji: string, isRemoved = false): void => reactions.count({ emoji, isRemoved });
  for (const emoji of ["👍", "👍🏽", "👍️", "👎🏿", "❤️", "👍👍", ""]) react(emoji);
  expect(reactions.counts).toEqual({ up: 3, down: 1 });
  react("👍🏻", true);
  react("👎", true);
  react("👎", true);
  expect(reactions.counts).toEqual({ up: 2, down: 0 });
});
