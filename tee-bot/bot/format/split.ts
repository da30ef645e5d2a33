import { decideCut, reach, type Room } from "./cut.ts";
import { layOut, type Layout, sliceRuns, type Span } from "./layout.ts";
import type { Line } from "./runs.ts";
import { joinerBytes, renderStyledText } from "./styled-text.ts";

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

/** One message: what is sent as `styled`, and the text in it that a person sees, for quotes of it. */
export interface Piece {
  styled: string;
  plain: string;
}

/**
 * A text in pieces, each with its own styles begun and ended and, where there are several, ` (2/3)` behind it.
 * What stands at a cut is lost if it is white space.
 */
export function splitLines(lines: readonly Line[], limits: PieceLimits): Piece[] {
  if (limits.maxUnits < minPieceUnits || limits.maxBytes < minPieceBytes)
    throw new RangeError(`a piece needs room for ${minPieceUnits} units and ${minPieceBytes} bytes`);
  const layout = layOut(lines);
  const room = { units: limits.maxUnits, bytes: Math.min(limits.maxBytes, maxPieceBytes) };
  if (reach(layout.text, 0, room) === layout.text.length) {
    const pieces = cutAll(layout, room);
    if (pieces.length <= 1) return pieces;
  }
  for (let digits = String(Math.ceil(layout.text.length / room.units)).length; ; digits++) {
    const suffixUnits = suffix(10 ** digits - 1, 10 ** digits - 1).length;
    const pieces = cutAll(layout, { units: room.units - suffixUnits, bytes: room.bytes - suffixUnits });
    if (String(pieces.length).length <= digits) return count(pieces);
  }
}

function count(pieces: readonly Piece[]): Piece[] {
  if (pieces.length <= 1) return [...pieces];
  return pieces.map(({ styled, plain }, index) => {
    const end = suffix(index + 1, pieces.length);
    return { styled: styled + end, plain: plain + end };
  });
}

function suffix(index: number, total: number): string {
  return ` (${index}/${total})`;
}

function cutAll(layout: Layout, room: Room): Piece[] {
  const pieces: Piece[] = [];
  const last = layout.text.trimEnd().length;
  for (let from = afterBlankLines(layout.text, 0); from < last;) {
    const { piece, end } = cutOne(layout, from, room);
    if (piece.plain !== "") pieces.push(piece);
    from = afterGap(layout.text, end);
  }
  return pieces;
}

/** Joiners are seen by nobody and counted by everybody, so where there are some the piece has less text. */
function cutOne(layout: Layout, from: number, room: Room): { piece: Piece; end: number } {
  for (let wanted = room; ;) {
    const { end } = decideCut(layout, from, wanted);
    const span = trimEnd(layout.text, { start: from, end });
    const plain = layout.text.slice(span.start, span.end);
    const { styled, joiners } = renderStyledText(sliceRuns(layout, span));
    const units = plain.length + joiners;
    const bytes = Buffer.byteLength(plain) + joiners * joinerBytes;
    if ((units <= room.units && bytes <= room.bytes) || plain.length <= 2) return { piece: { styled, plain }, end };
    const part = Math.min(room.units / units, room.bytes / bytes);
    wanted = { units: Math.min(Math.floor(plain.length * part), plain.length - 1), bytes: room.bytes };
  }
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
