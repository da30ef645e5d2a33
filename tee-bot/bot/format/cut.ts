import { lastFrom, type Layout, type Span } from "./layout.ts";

/** How much text a piece may have. Both hold. */
export interface Room {
  units: number;
  bytes: number;
}

/** Nobody reads a piece with less than this part of its room well, so a worse place is taken to fill more. */
const fewestFilled = 0.5;
/** Longer than any grapheme but a hostile one, which is then cut between code points. */
const maxGraphemeUnits = 128;
const sentenceEnd = /[.!?…。！？]["'”’)\]]*$/;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * The next piece of a text from a position: all the rest if there is room, else up to the best place to cut: before a code
 * block or table that fits whole in the next piece, between paragraphs, lines, sentences, words, graphemes.
 */
export function decideCut(layout: Layout, from: number, room: Room): Span {
  const { text } = layout;
  const limit = reach(text, from, room);
  if (limit === text.length) return { start: from, end: limit };
  const least = from + Math.floor((limit - from) * fewestFilled);
  const end =
    beforeBlock(layout, from, limit, room) ??
    lineEnd(layout, from, limit, least) ??
    wordEnd(text, from, limit, least) ??
    graphemeEnd(text, from, limit);
  return { start: from, end };
}

/** The end of the longest stretch there is room for, never between the halves of a surrogate pair. */
export function reach(text: string, from: number, room: Room): number {
  let { units, bytes } = room;
  let end = from;
  while (end < text.length) {
    const point = text.codePointAt(end) ?? 0;
    const length = point > 0xff_ff ? 2 : 1;
    units -= length;
    bytes -= point < 0x80 ? 1 : point < 0x8_00 ? 2 : point > 0xff_ff ? 4 : 3;
    if (units < 0 || bytes < 0) break;
    end += length;
  }
  return end;
}

/** Before the block that the limit falls into, if it is not the first thing here and the next piece can have all of it. */
function beforeBlock({ text, lines }: Layout, from: number, limit: number, room: Room): number | undefined {
  const block = lines[lastFrom(lines, limit)]?.block;
  if (!block || block.start <= from || text.slice(from, block.start).trim() === "") return undefined;
  return reach(text, block.start, room) >= block.end ? block.start : undefined;
}

/** The last end of a paragraph that fills enough, else of a line; within a block any line will do. */
function lineEnd({ lines }: Layout, from: number, limit: number, least: number): number | undefined {
  const last = lastFrom(lines, limit + 1);
  let bestLine: number | undefined;
  for (let index = last; index > 0; index--) {
    const line = lines[index];
    if (!line || line.start <= from) break;
    const enough = line.start > least;
    if (enough && line.empty && line.start <= limit) return line.start;
    if (enough || (line.block && line.block.start < line.start)) bestLine ??= line.start;
    if (!enough) break;
  }
  return bestLine === undefined ? undefined : bestLine - 1;
}

/** The last gap after a sentence that fills enough, else the last gap between words. */
function wordEnd(text: string, from: number, limit: number, least: number): number | undefined {
  let bestWord: number | undefined;
  for (let end = limit; end > from; end--) {
    if (end <= least && bestWord !== undefined) break;
    if (!isSpace(text[end]) || isSpace(text[end - 1])) continue;
    if (sentenceEnd.test(text.slice(Math.max(from, end - 4), end)) && end > least) return end;
    bestWord ??= end;
  }
  return bestWord;
}

function isSpace(sign: string | undefined): boolean {
  return sign === " " || sign === "\n" || sign === "\t";
}

function graphemeEnd(text: string, from: number, limit: number): number {
  const around = text.slice(from, limit + maxGraphemeUnits);
  const start = graphemes.segment(around).containing(limit - from)?.index ?? 0;
  return limit - from - start > maxGraphemeUnits || start === 0 ? limit : from + start;
}
