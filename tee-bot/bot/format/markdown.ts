import markdownIt, { type MarkdownIt, type StateBlock, type StateInline, type Token } from "markdown-it";

/** Deeper lists and quotes are read as text: each level costs another pass over its lines. */
const maxBlockLevel = 12;
/** Deeper brackets are read as text. */
const maxNesting = 40;

const reader = createReader();

/** The tokens of a text in CommonMark with tables and `~~strikethrough~~`; HTML in it is text. */
export function parseTokens(markdown: string): Token[] {
  return reader.parse(markdown, {});
}

function createReader(): MarkdownIt {
  const markdown = markdownIt({ html: false, linkify: true, maxNesting });
  // Links are shown, not followed: they stay as they were written.
  markdown.normalizeLink = (url) => url;
  // Full addresses only (the inline rule), so that no marker is seen in one; not `example.com` or `read.me`.
  markdown.core.ruler.disable("linkify");
  markdown.inline.ruler.before("emphasis", "literal_stars", literalStars);
  markdown.block.ruler.before("table", "too_deep", tooDeep);
  return markdown;
}

/** In `2*3*4` and `a*b` the star is a product and in `2**8` a power, which CommonMark would take for emphasis. */
function literalStars(state: StateInline, silent: boolean): boolean {
  if (state.src[state.pos] !== "*") return false;
  let end = state.pos;
  while (state.src[end] === "*") end++;
  const stars = end - state.pos;
  const operand = stars === 1 ? /[a-z0-9]/i : /[0-9]/;
  if (stars > 2 || !operand.test(state.src[state.pos - 1] ?? "") || !operand.test(state.src[end] ?? "")) return false;
  if (!silent) state.pending += state.src.slice(state.pos, end);
  state.pos = end;
  return true;
}

/** markdown-it leaves out what is nested too deep; here it becomes a paragraph. */
function tooDeep(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if (silent || state.level < maxBlockLevel) return false;
  state.line = endLine;
  state.push("paragraph_open", "p", 1);
  const inline = state.push("inline", "", 0);
  inline.content = state.getLines(startLine, endLine, state.blkIndent, false).trim();
  inline.children = [];
  state.push("paragraph_close", "p", -1);
  return true;
}
