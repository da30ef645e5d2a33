// What a formatted text is made of, whatever it came from and whatever mark-up it will be sent in.

/** The styles of Signal that Markdown has a word for. */
export type Style = "strikethrough" | "bold" | "italic" | "monospace";

/** A stretch of text in one set of styles. */
export interface Run {
  text: string;
  styles: readonly Style[];
}

/** A line without its break. Lines with the same `verbatim` are one code block or table, which is best kept together. */
export interface Line {
  runs: readonly Run[];
  verbatim?: number;
}

/** The text that a person sees. */
export function plainText(runs: readonly Run[]): string {
  return runs.map(({ text }) => text).join("");
}

/** The lines as one sequence of runs. Breaks have no style, so that each line stands for itself wherever it is cut. */
export function joinLines(lines: readonly Line[]): Run[] {
  return lines.flatMap(({ runs }, index) => (index === 0 ? runs : [{ text: "\n", styles: [] }, ...runs]));
}

/** Runs of the same styles that follow each other become one; empty ones go. */
export function mergeRuns(runs: readonly Run[]): Run[] {
  const merged: Run[] = [];
  for (const run of runs) {
    const last = merged.at(-1);
    if (run.text === "") continue;
    if (last && sameStyles(last.styles, run.styles))
      merged[merged.length - 1] = { ...last, text: last.text + run.text };
    else merged.push(run);
  }
  return merged;
}

function sameStyles(one: readonly Style[], other: readonly Style[]): boolean {
  return one.length === other.length && one.every((style) => other.includes(style));
}
