import type { Token } from "markdown-it";
import { mergeRuns, type Run, type Style } from "./runs.ts";

/** One line's runs for each line of the text between the marks of a paragraph, a heading or a cell. */
export function readInline(tokens: readonly Token[]): Run[][] {
  const lines: Run[][] = [[]];
  for (const run of readRuns(tokens)) {
    for (const [index, text] of run.text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      lines.at(-1)?.push({ ...run, text });
    }
  }
  return lines.map(mergeRuns);
}

const styleOf: Readonly<Record<string, Style>> = { strong: "bold", em: "italic", s: "strikethrough" };

/** A link that was opened: where it leads, and from which of the runs on its text is. */
interface OpenLink {
  url: string;
  firstRun: number;
}

function readRuns(tokens: readonly Token[]): Run[] {
  const runs: Run[] = [];
  const links: OpenLink[] = [];
  const depths = new Map<Style, number>();
  let styles: Style[] = [];
  for (const token of tokens) {
    const style = styleOf[token.tag];
    if (style) {
      depths.set(style, (depths.get(style) ?? 0) + token.nesting);
      styles = [...depths].filter(([, depth]) => depth > 0).map(([name]) => name);
    } else if (token.type === "link_open") {
      links.push({ url: String(token.attrGet("href") ?? ""), firstRun: runs.length });
    } else if (token.type === "link_close") {
      const link = links.pop();
      if (link) runs.push({ text: decideAddress(link.url, textFrom(runs, link.firstRun)), styles });
    } else if (token.type === "image") {
      const alt = readRuns(token.children ?? []);
      const url = String(token.attrGet("src") ?? "");
      runs.push({ text: textFrom(alt, 0) + decideAddress(url, textFrom(alt, 0)), styles });
    } else if (token.type === "code_inline") {
      runs.push({ text: token.content, styles: [...styles, "monospace"] });
    } else {
      runs.push({ text: token.type.endsWith("break") ? "\n" : token.content, styles });
    }
  }
  return runs;
}

/** What follows the text of a link: nothing when that says it already, or when the address is a file's content. */
function decideAddress(url: string, text: string): string {
  if (url === "" || url.startsWith("data:") || url === text || url === `mailto:${text}`) return "";
  return text === "" ? url : ` (${url})`;
}

function textFrom(runs: readonly Run[], first: number): string {
  return runs
    .slice(first)
    .map(({ text }) => text)
    .join("");
}
