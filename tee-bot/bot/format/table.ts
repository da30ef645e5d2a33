import type { Token } from "markdown-it";
import { readInline } from "./inline.ts";
import { mergeRuns, plainText, type Line, type Run } from "./runs.ts";
import { textColumns } from "./text-columns.ts";

/** What fits beside each other in a bubble on a telephone. */
const maxTableColumns = 40;
const gap = "  ";

/**
 * A table as lines: aligned in monospace where that fits a narrow screen, else each row as a list of what it says
 * under which head.
 */
export function readTable(tokens: readonly Token[], verbatim: number): Line[] {
  const [head = [], ...body] = readRows(tokens);
  const texts = [head, ...body].map((row) => row.map(plainText));
  const widths = head.map((_, column) => Math.max(...texts.map((row) => textColumns(row[column] ?? ""))));
  const columns = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  if (columns > maxTableColumns && body.length > 0) return body.flatMap((row) => record(head, row));
  const ruler = widths.map((width) => "─".repeat(width)).join(gap);
  const aligned = texts.map((row) => alignRow(row, widths));
  return [aligned[0] ?? "", ruler, ...aligned.slice(1)].map((text) => ({
    runs: mergeRuns([{ text, styles: ["monospace"] }]),
    verbatim,
  }));
}

type Cell = readonly Run[];

function readRows(tokens: readonly Token[]): Cell[][] {
  const rows: Cell[][] = [];
  for (const { type, children } of tokens) {
    if (type === "tr_open") rows.push([]);
    if (type === "inline") rows.at(-1)?.push(readInline(children ?? []).flat());
  }
  return rows;
}

function alignRow(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((width, column) => {
    const text = row[column] ?? "";
    return text + " ".repeat(width - textColumns(text));
  });
  return cells.join(gap).trimEnd();
}

function record(head: readonly Cell[], row: readonly Cell[]): Line[] {
  const told = row.map((cell, column) => ({ cell, name: plainText(head[column] ?? []) }));
  return told
    .filter(({ cell }) => cell.length > 0)
    .map(({ cell, name }, index) => {
      const label: Run[] =
        name === ""
          ? []
          : [
              { text: name, styles: ["bold"] },
              { text: ": ", styles: [] },
            ];
      return { runs: mergeRuns([{ text: index === 0 ? "• " : "  ", styles: [] }, ...label, ...cell]) };
    });
}
