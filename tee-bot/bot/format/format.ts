import { parseMarkdown } from "./parse-markdown.ts";
import { joinLines, plainText } from "./runs.ts";
import { type Piece, type PieceLimits, splitLines } from "./split.ts";

/** A model's answer as messages to send, in order. None if it says nothing. */
export function formatAnswer(markdown: string, limits: PieceLimits): Piece[] {
  return splitLines(parseMarkdown(markdown), limits);
}

/** A model's answer without any style, as one text. */
export function formatPlain(markdown: string): string {
  return plainText(joinLines(parseMarkdown(markdown)));
}
