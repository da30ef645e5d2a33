/**
 * YAML 1.2 as settings need it: one document, text keys, no tags, few aliases. Guards against files that would cost the
 * reader its memory or its stack. What the parser says is cut before it quotes the file, which may hold a secret by mistake.
 */
import { isAlias, isCollection, isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from "yaml";
import type { SettingPath } from "./path.ts";

export const maxFileBytes = 1024 * 1024;
const maxAliases = 100;
/** Of tables in each other, so that nobody who walks through them runs out of stack. */
const maxDepth = 64;
/** Of those that are told at once. */
const maxMistakes = 20;

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlMistake extends Position {
  readonly text: string;
}

export interface YamlText {
  /** As plain data. */
  readonly data: unknown;
  /** Where the value at this path is, or with `atName` its name; the nearest thing above it when it is not there. */
  locate(path: SettingPath, atName?: boolean): Position;
}

export type ParsedYaml =
  | { readonly ok: true; readonly yaml: YamlText }
  | { readonly ok: false; readonly mistakes: YamlMistake[] };

/** `change` is made to the document before it becomes data; places stay those of the text. */
export function parseYaml(text: string, change: (document: Document) => void = () => undefined): ParsedYaml {
  if (text.length > maxFileBytes) return refuse(`the file is too large · keep it below ${maxFileBytes} bytes`);
  try {
    return parseBounded(text, change);
  } catch (error) {
    if (error instanceof RangeError) return refuse(tooDeep);
    if (error instanceof ReferenceError)
      return refuse("its aliases (*name) stand for too much, or for nothing · write the values out");
    throw error;
  }
}

function parseBounded(text: string, change: (document: Document) => void): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: "error",
  });
  const at = (offset: number, words: string): YamlMistake => ({ ...positionIn(lines, offset), text: words });
  const mistakes = [
    ...[...document.errors, ...document.warnings].map(({ pos, code, message }) => at(pos[0], inWords(code, message))),
    ...repeatedNames(document).map((offset) => at(offset, "this name is given twice · keep one of them")),
  ];
  const exhausted = mistakes.find(({ text: words }) => words === tooDeep);
  if (exhausted) return { ok: false, mistakes: [exhausted] };
  if (mistakes.length > 0) return { ok: false, mistakes: mistakes.slice(0, maxMistakes) };
  let aliases = 0;
  visit(document, { Alias: () => void (aliases += 1) });
  if (aliases > maxAliases) return refuse(`there are more than ${maxAliases} aliases (*name) · write the values out`);
  change(document);
  const data: unknown = document.toJS({ maxAliasCount: maxAliases }) ?? {};
  return {
    ok: true,
    yaml: { data, locate: (path, atName) => positionIn(lines, offsetOf(document, path, atName)) },
  };
}

function refuse(text: string): ParsedYaml {
  return { ok: false, mistakes: [{ line: 1, column: 1, text }] };
}

const tooDeep = "lists or tables stand too deep in each other · make it flatter";
const words: Partial<Record<string, string>> = {
  TAB_AS_INDENT: "a tab indents this line · use spaces",
  MULTIPLE_DOCS: "a second document begins here · keep one",
  TAG_RESOLVE_FAILED: "tags (!name) have no meaning here · take it away",
  BAD_DIRECTIVE: "a line that begins with % has a meaning of its own in YAML · take it away",
  RESOURCE_EXHAUSTION: tooDeep,
  NON_STRING_KEY: "a name has to be text · put it in quotes",
};

/** Messages of the parser end with what they quote, after a colon. */
function inWords(code: string, message: string): string {
  return words[code] ?? `not YAML: ${message.split(/:? ["'`]|: /)[0]} · see https://yaml.org`;
}

/** The parser compares each name with each other one, which takes a minute for a large file. */
function repeatedNames(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Map: (_, { items }, above) => {
      if (above.length > 2 * maxDepth) throw new RangeError(tooDeep);
      const names = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (names.has(key.value)) offsets.push(startOf(key) ?? 0);
        names.add(key.value);
      }
    },
  });
  return offsets;
}

function positionIn(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function offsetOf(document: Document, path: SettingPath, atName = false): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) break;
    const item: unknown = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && key.value === step)
      : node.items[Number(step)];
    if (item === undefined) break;
    const [name, value] = isPair(item) ? [item.key, item.value] : [undefined, item];
    node = value;
    const last = index === path.length - 1;
    offset = (last && atName ? startOf(name) : (startOf(value) ?? startOf(name))) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: [number, number, number] | null } | null | undefined)?.range;
  return range?.[0];
}
