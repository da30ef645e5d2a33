import { describe, expect, it } from "vitest";
import { formatAnswer, formatPlain } from "../../../../tee-bot/bot/format/format.ts";
import { defaultMaxUnits, maxPieceBytes } from "../../../../tee-bot/bot/format/split.ts";

const limits = { maxUnits: defaultMaxUnits, maxBytes: maxPieceBytes };
const size = 100_000;
/** Of the processor. What is quadratic in this size takes seconds. */
const maxGarbageMs = 100;
const maxHostileMs = 1_000;

const fill = (part: string, length = size): string => part.repeat(Math.ceil(length / part.length)).slice(0, length);

describe("100 kB that no model means", () => {
  it.each(["*_~`|\\[]()!<>#-+=&: \n\t123ab", "*_~`[]() ab", "\n-> 1.a "])("of %j are read in little time", (signs) => {
    const source = random(signs);
    expect(cpuMs(() => formatAnswer(source, limits), maxGarbageMs)).toBeLessThan(maxGarbageMs);
  });

  const half = size / 2;
  it.each([
    ["bold that is opened", fill("**a ")],
    ["emphasis in emphasis", fill("*a **b ", half) + fill(" b** a*", half)],
    ["bold in bold", fill("**a ", half) + fill(" b**", half)],
    ["bold in words", fill("a**b")],
    ["emphasis side by side", fill("*a***b**")],
    ["stars and underscores", fill("*_")],
    ["stars", `a${fill("*")}a`],
    ["brackets that are opened", fill("[")],
    ["brackets in brackets", fill("[", half) + fill("]", half)],
    ["links in links", fill("[", size / 5) + fill("](a)", (size * 4) / 5)],
    ["images in images", fill("![", size / 3) + fill("](a)", (size * 2) / 3)],
    ["links that are opened", fill("[a](<b")],
    ["backticks of all lengths", Array.from({ length: 440 }, (_, index) => `${"`".repeat(index)}e`).join("")],
    ["quotes in quotes", fill("> ")],
    ["a deep quote of many lines", `${"> ".repeat(50)}x\n${fill("y\n")}`],
    ["lists in lists", Array.from({ length: 400 }, (_, index) => `${" ".repeat(2 * index)}- a`).join("\n")],
    ["numbers in numbers", fill("1. ")],
    ["definitions", fill("[a]: u\n")],
    ["headings", fill("# a\n")],
    ["empty lines", fill(" \n")],
    ["spaces", `a${fill(" ")}b`],
    ["a table of many columns", `|${fill("a|", 5_000)}\n|${fill("-|", 5_000)}\n${fill("|\n", size - 10_000)}`],
    ["a table of many rows", `|a|\n|-|\n${fill("|b|\n")}`],
    ["addresses", fill("http://a.b ")],
    ["half addresses", fill("http://a")],
    ["one grapheme", `a${fill("\u0301")}`],
    ["one word", fill("x")],
    ["backslashes", fill("\\")],
  ])("are %s and are read in time", (_, source) => {
    expect(cpuMs(() => formatAnswer(source, limits), maxHostileMs)).toBeLessThan(maxHostileMs);
  });

  it("are shown as they are written when there are too many of them to read", () => {
    const source = fill("**a** [b](c)\n", 2_000_000);
    expect(cpuMs(() => formatPlain(source), maxHostileMs)).toBeLessThan(maxHostileMs);
    expect(formatPlain(source)).toBe(source);
  });
});

/** Time that other processes take is not counted. The first times it is compiled on the way, so some more are tried. */
function cpuMs(work: () => void, maxMs: number): number {
  let fastest = Infinity;
  for (let tries = 0; tries < 12 && fastest >= maxMs; tries++) {
    const before = process.cpuUsage();
    work();
    fastest = Math.min(fastest, process.cpuUsage(before).user / 1_000);
  }
  return fastest;
}

function random(signs: string): string {
  let state = 7;
  return Array.from({ length: size }, () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
    return signs[(state >> 8) % signs.length];
  }).join("");
}
