import { joinLines, type Line, plainText, type Run } from "./runs.ts";

/** A text as one string, with where its lines and runs begin in it, in UTF-16 units. */
export interface Layout {
  text: string;
  lines: readonly PlacedLine[];
  runs: readonly PlacedRun[];
}

export interface PlacedLine {
  start: number;
  empty: boolean;
  /** The code block or table the line is of, with its first line's start and its last line's end. */
  block: Span | undefined;
}

export interface Span {
  start: number;
  end: number;
}

interface PlacedRun extends Run {
  start: number;
}

export function layOut(lines: readonly Line[]): Layout {
  const runs: PlacedRun[] = [];
  let end = 0;
  for (const run of joinLines(lines)) {
    runs.push({ ...run, start: end });
    end += run.text.length;
  }
  return { text: plainText(runs), lines: placeLines(lines), runs };
}

function placeLines(lines: readonly Line[]): PlacedLine[] {
  const blocks = new Map<number, Span>();
  let start = 0;
  return lines.map(({ runs, verbatim }) => {
    const line = { start, end: start + plainText(runs).length };
    start = line.end + 1;
    const block = verbatim === undefined ? undefined : (blocks.get(verbatim) ?? line);
    if (block && verbatim !== undefined) {
      block.end = line.end;
      blocks.set(verbatim, block);
    }
    return { start: line.start, empty: runs.length === 0, block };
  });
}

/** The runs of one stretch of the text, each keeping its styles. */
export function sliceRuns({ runs }: Layout, { start, end }: Span): Run[] {
  const slice: Run[] = [];
  for (let index = lastFrom(runs, start); index < runs.length; index++) {
    const run = runs[index];
    if (!run || run.start >= end) break;
    const text = run.text.slice(Math.max(0, start - run.start), end - run.start);
    if (text !== "") slice.push({ text, styles: run.styles });
  }
  return slice;
}

/** The index of the last of these that starts at a position or before it; 0 when none does. */
export function lastFrom(sorted: readonly { start: number }[], position: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((sorted[middle]?.start ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
