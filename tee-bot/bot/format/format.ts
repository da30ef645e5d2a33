import { parseMarkdown } from "./parse-markdown.ts";
import { joinLines, mergeRuns, plainText } from "./runs.ts";
import { type PieceLimits, splitLines } from "./split.ts";
import { renderStyledText } from "./styled-text.ts";

/** One message: what is sent as `styled`, and the text in it that a person sees, for quotes of it. */
export interface Piece {
  styled: string;
  plain: string;
}

/** A model's answer as messages to send, in order. None if it says nothing. */
export function formatAnswer(markdown: string, limits: PieceLimits): Piece[] {
  return splitLines(parseMarkdown(markdown), limits).map((runs) => ({
    styled: renderStyledText(mergeRuns(runs)),
    plain: plainText(runs),
  }));
}

/** A model's answer without any style, as one text. */
export function formatPlain(markdown: string): string {
  return plainText(joinLines(parseMarkdown(markdown)));
}
