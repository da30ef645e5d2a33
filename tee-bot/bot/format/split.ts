import { decideCut, reach, type Room } from "./cut.ts";
import { layOut, type Layout, sliceRuns, type Span } from "./layout.ts";
import type { Line, Run } from "./runs.ts";
import { joiner, renderStyledText } from "./styled-text.ts";

/** How much a piece may have of the text that a person sees. */
export interface PieceLimits {
  maxUnits: number;
  maxBytes: number;
}

/** What reads well in one bubble. */
export const defaultMaxUnits = 4_000;
/** Signal's clients show no more of a long text than 64 KiB. */
export const maxPieceBytes = 64 * 1024;
/** With less, the count of pieces would take the room of the text. */
export const minPieceUnits = 64;
export const minPieceBytes = 256;

/**
 * A text in pieces, each with its own styles begun and ended and, where there are several, ` (2/3)` behind it.
 * What stands at a cut is lost if it is white space.
 */
export function splitLines(lines: readonly Line[], limits: PieceLimits): Run[][] {
  if (limits.maxUnits < minPieceUnits || limits.maxBytes < minPieceBytes)
    throw new RangeError(`a piece needs room for ${minPieceUnits} units and ${minPieceBytes} bytes`);
  const layout = layOut(lines);
  for (let digits = 0; ; digits++) {
    const suffixUnits = digits === 0 ? 0 : suffix("9".repeat(digits), "9".repeat(digits)).length;
    const room = {
      units: limits.maxUnits - suffixUnits,
      bytes: Math.min(limits.maxBytes, maxPieceBytes) - suffixUnits,
    };
    const pieces = cutAll(layout, room);
    if (pieces.length <= 1) return pieces;
    if (String(pieces.length).length <= digits) return pieces.map((piece, index) => piece.concat(count(index, pieces)));
  }
}

function count(index: number, { length }: readonly unknown[]): Run {
  return { text: suffix(String(index + 1), String(length)), styles: [] };
}

function suffix(index: string, total: string): string {
  return ` (${index}/${total})`;
}

function cutAll(layout: Layout, room: Room): Run[][] {
  const pieces: Run[][] = [];
  const last = layout.text.trimEnd().length;
  for (let from = afterBlankLines(layout.text, 0); from < last;) {
    const { runs, end } = cutOne(layout, from, room);
    pieces.push(runs);
    from = afterGap(layout.text, end);
  }
  return pieces;
}

/** Joiners are seen by nobody and counted by everybody, so where there are some the piece has less text. */
function cutOne(layout: Layout, from: number, room: Room): { runs: Run[]; end: number } {
  for (let wanted = room; ;) {
    const { end } = decideCut(layout, from, wanted);
    const runs = sliceRuns(layout, trimEnd(layout.text, { start: from, end }));
    const text = textSent(layout.text.slice(from, end), runs);
    if (reach(text, 0, room) === text.length || end - from <= 2) return { runs, end };
    const part = Math.min((end - from) / text.length, room.bytes / Buffer.byteLength(text));
    wanted = { units: Math.min(Math.floor(room.units * part), end - from - 1), bytes: Math.floor(room.bytes * part) };
  }
}

/** As long as the text that arrives: what is written, with the joiners of its mark-up. */
function textSent(text: string, runs: readonly Run[]): string {
  const joiners = renderStyledText(runs).split(joiner).length - text.split(joiner).length;
  return text + joiner.repeat(Math.max(0, joiners));
}

function trimEnd(text: string, { start, end }: Span): Span {
  return { start, end: start + text.slice(start, end).trimEnd().length };
}

/** The next piece begins behind the break or the spaces at the cut; the indent of its first line stays. */
function afterGap(text: string, end: number): number {
  const line = /[ \t]*\n/y;
  line.lastIndex = end;
  if (line.test(text)) return afterBlankLines(text, end);
  let next = end;
  while (text[next] === " " || text[next] === "\t") next++;
  return next;
}

function afterBlankLines(text: string, from: number): number {
  const blank = /(?:[ \t]*\n)+/y;
  blank.lastIndex = from;
  return from + (blank.exec(text)?.[0].length ?? 0);
}
