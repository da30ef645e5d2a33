// The mark-up of signal-cli-rest-api's `text_mode: styled`. Its parser takes away every marker it sees, matched or not, in code
// and addresses too, and matches a closing marker only with the one opened last.

import type { Run, Style } from "./runs.ts";

const markers: Readonly<Record<Style, string>> = { strikethrough: "~", bold: "**", italic: "*", monospace: "`" };

/** Word joiner: not seen, breaks no line. It stands where two signs would be read as one. */
export const joiner = "\u2060";

/** Further than this nobody looks for the end of a style. */
const maxRunsAhead = 64;

/** Runs in the mark-up whose parser gives back their text and styles; the text may have joiners in it. */
export function renderStyledText(runs: readonly Run[]): string {
  const open: Style[] = [];
  let written = "";
  const mark = (style: Style): void => {
    const marker = markers[style];
    written += (mustSeparate(written, marker) ? joiner : "") + marker;
  };
  for (const [index, { text, styles }] of runs.entries()) {
    if (text === "") continue;
    const firstEnded = open.findIndex((style) => !styles.includes(style));
    if (firstEnded >= 0) open.splice(firstEnded).toReversed().forEach(mark);
    for (const style of longestFirst(styles, runs.slice(index, index + maxRunsAhead))) {
      if (open.includes(style)) continue;
      mark(style);
      open.push(style);
    }
    written += text.replaceAll(/[*`|~]/g, String.raw`\$&`);
  }
  open.toReversed().forEach(mark);
  return written;
}

/** Two stars side by side are read as one sign, and a literal backslash would escape the marker after it. */
function mustSeparate(written: string, marker: string): boolean {
  return written.endsWith("\\") || (written.endsWith("*") && marker.startsWith("*"));
}

/** What lasts longest is opened first, so that it is closed last. */
function longestFirst(styles: readonly Style[], ahead: readonly Run[]): Style[] {
  if (styles.length < 2) return [...styles];
  const lasts = (style: Style): number => {
    const end = ahead.findIndex((run) => !run.styles.includes(style));
    return end < 0 ? ahead.length : end;
  };
  return styles.toSorted((one, other) => lasts(other) - lasts(one));
}
