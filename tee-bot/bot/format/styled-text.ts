// The mark-up of signal-cli-rest-api's `text_mode: styled`. Its parser takes away every marker it sees, matched or not, in code
// and addresses too, and matches a closing marker only with the one opened last.

import type { Run, Style } from "./runs.ts";

const markers: Readonly<Record<Style, string>> = { strikethrough: "~", bold: "**", italic: "*", monospace: "`" };

const special = /[*`|~]/;
const specials = /[*`|~]/g;

/** Word joiner: not seen, breaks no line. It stands where two signs would be read as one. */
const joiner = "\u2060";
export const joinerBytes = 3;

/** Further than this nobody looks for the end of a style. */
const maxRunsAhead = 64;

export interface StyledText {
  styled: string;
  /** How many joiners were written, which the person's telephone gets as text. */
  joiners: number;
}

/** Runs in the mark-up whose parser gives back their styles and, with joiners in it, their text. */
export function renderStyledText(runs: readonly Run[]): StyledText {
  const open: Style[] = [];
  let styled = "";
  let joiners = 0;
  let lastSign = "";
  const mark = (style: Style): void => {
    const marker = markers[style];
    if (mustSeparate(lastSign, marker)) {
      styled += joiner;
      joiners++;
    }
    styled += marker;
    lastSign = marker;
  };
  for (const [index, { text, styles }] of runs.entries()) {
    if (text === "") continue;
    const firstEnded = open.findIndex((style) => !styles.includes(style));
    if (firstEnded >= 0) open.splice(firstEnded).toReversed().forEach(mark);
    const opening = styles.filter((style) => !open.includes(style));
    if (opening.length > 1) sortLongestFirst(opening, runs.slice(index, index + maxRunsAhead));
    opening.forEach(mark);
    open.push(...opening);
    styled += special.test(text) ? text.replaceAll(specials, String.raw`\$&`) : text;
    lastSign = text.slice(-1);
  }
  open.toReversed().forEach(mark);
  return { styled, joiners };
}

/** Two stars side by side are read as one sign, and a literal backslash would escape the marker after it. */
function mustSeparate(before: string, marker: string): boolean {
  return before === "\\" || (before.startsWith("*") && marker.startsWith("*"));
}

/** What lasts longest is opened first, so that it is closed last. */
function sortLongestFirst(styles: Style[], ahead: readonly Run[]): void {
  const lasts = (style: Style): number => {
    const end = ahead.findIndex((run) => !run.styles.includes(style));
    return end < 0 ? ahead.length : end;
  };
  styles.sort((one, other) => lasts(other) - lasts(one));
}
