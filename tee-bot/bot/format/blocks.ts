import type { Token } from "markdown-it";
import { readInline } from "./inline.ts";
import { itemMark, type ListPlace, withoutTask } from "./list-item.ts";
import { mergeRuns, type Line, type Run } from "./runs.ts";
import { readTable } from "./table.ts";

/** The lines of a text's blocks: paragraphs, headings, lists, quotes, code and tables, each set off as Signal can show it. */
export function readBlocks(tokens: readonly Token[]): Line[] {
  return new BlockReader(tokens).readUntil(undefined, { tight: false, list: undefined });
}

interface Surroundings {
  /** No blank line between blocks, as in the items of a tight list. */
  tight: boolean;
  list: ListPlace | undefined;
}

const rule = "———";

class BlockReader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Depth is bounded by the parser's limit on nesting. */
  readUntil(closing: string | undefined, around: Surroundings): Line[] {
    const lines: Line[] = [];
    for (let token = this.#take(); token && token.type !== closing; token = this.#take()) {
      const block = this.#readBlock(token, around);
      if (block.length === 0) continue;
      if (lines.length > 0 && !around.tight) lines.push({ runs: [] });
      for (const line of block) lines.push(line);
    }
    return lines;
  }

  #readBlock(token: Token, around: Surroundings): Line[] {
    switch (token.type) {
      case "heading_open":
        return this.#readText("heading_close").map(embolden);
      case "paragraph_open":
        return this.#readText("paragraph_close");
      case "fence":
      case "code_block":
        return readCode(token, this.#next);
      case "hr":
        return [{ runs: [{ text: rule, styles: [] }] }];
      case "blockquote_open":
        return this.readUntil("blockquote_close", { tight: false, list: undefined }).map(quote);
      case "bullet_list_open":
        return this.#readList("bullet_list_close", undefined);
      case "ordered_list_open":
        return this.#readList("ordered_list_close", Number(token.attrGet("start") ?? 1));
      case "list_item_open":
        return this.#readItem(around);
      case "table_open":
        return readTable(this.#takeUntil("table_close"), this.#next);
      default:
        return [];
    }
  }

  #readText(closing: string): Line[] {
    const content = this.#takeUntil(closing).flatMap(({ children }) => children ?? []);
    const lines = readInline(content).map((runs) => ({ runs }));
    return lines.some(({ runs }) => runs.length > 0) ? lines : [];
  }

  #readList(closing: string, start: number | undefined): Line[] {
    return this.readUntil(closing, { tight: this.#isTight(closing), list: { number: start } });
  }

  #readItem({ tight, list }: Surroundings): Line[] {
    const lines = this.readUntil("list_item_close", { tight, list: undefined });
    const first = lines[0]?.verbatim === undefined ? (lines[0]?.runs ?? []) : [];
    const mark = itemMark(list, first);
    if (list?.number !== undefined) list.number++;
    const rest = first.length > 0 ? lines.slice(1) : lines;
    return [{ runs: mergeRuns([mark, ...withoutTask(first)]) }, ...rest.map((line) => indent(line, mark))];
  }

  /** A tight list is known by its paragraphs, which are hidden. */
  #isTight(closing: string): boolean {
    const level = this.#tokens[this.#next]?.level ?? 0;
    for (let index = this.#next; index < this.#tokens.length; index++) {
      const token = this.#tokens[index];
      if (token?.type === "paragraph_open" && token.level === level + 1) return token.hidden;
      if (token?.type === closing && token.level < level) break;
    }
    return true;
  }

  #take(): Token | undefined {
    return this.#tokens[this.#next++];
  }

  #takeUntil(closing: string): Token[] {
    const taken: Token[] = [];
    for (let token = this.#take(); token && token.type !== closing; token = this.#take()) taken.push(token);
    return taken;
  }
}

function readCode({ content }: Token, verbatim: number): Line[] {
  const lines = content.replace(/\n$/, "").split("\n");
  return lines.map((text) => ({ runs: mergeRuns([{ text, styles: ["monospace"] }]), verbatim }));
}

function embolden({ runs }: Line): Line {
  return { runs: mergeRuns(runs.map(({ text, styles }) => ({ text, styles: [...new Set(styles).add("bold")] }))) };
}

function quote(line: Line): Line {
  return prefix(line.runs.length > 0 ? "> " : ">", line);
}

function indent(line: Line, { text }: Run): Line {
  return line.runs.length > 0 ? prefix(" ".repeat(text.length), line) : line;
}

function prefix(text: string, line: Line): Line {
  const [first, ...others] = line.runs;
  if (first?.styles.length === 0) return { ...line, runs: [{ ...first, text: text + first.text }, ...others] };
  return { ...line, runs: [{ text, styles: [] }, ...line.runs] };
}
