import { readBlocks } from "./blocks.ts";
import { parseTokens } from "./markdown.ts";
import type { Line } from "./runs.ts";

/** A longer text is shown as it is written: no answer a person reads is so long. */
const maxMarkdownUnits = 200_000;

/** A model's answer, in Markdown or what it takes for it, as the lines a person sees. */
export function parseMarkdown(markdown: string): Line[] {
  const text = markdown.toWellFormed();
  if (text.length > maxMarkdownUnits) return text.split(/\r\n|\r|\n/).map(literalLine);
  return readBlocks(parseTokens(text));
}

function literalLine(text: string): Line {
  return { runs: text === "" ? [] : [{ text, styles: [] }] };
}
