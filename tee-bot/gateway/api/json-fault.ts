/** Where a text stops being JSON; `JSON.parse` tells it for some faults only, and quotes the text for others. */

/** Index of the first character that cannot be there (RFC 8259 §2); the length of a text that ends too early. */
export function findJsonFault(text: string): number {
  const open: ("{" | "[")[] = [];
  let expected: "value" | "item or end" | "name" | "name or end" | "colon" | "more" = "value";
  let at = skipSpace(text, 0);
  for (; at < text.length; at = skipSpace(text, at)) {
    const character = text[at];
    const isEnd = character === (open.at(-1) === "{" ? "}" : "]") && open.length > 0;
    if (isEnd && (expected === "more" || expected === "item or end" || expected === "name or end")) {
      open.pop();
      expected = "more";
      at++;
    } else if (expected === "more") {
      if (character !== "," || open.length === 0) return at;
      expected = open.at(-1) === "{" ? "name" : "value";
      at++;
    } else if (expected === "colon") {
      if (character !== ":") return at;
      expected = "value";
      at++;
    } else if (expected === "name" || expected === "name or end") {
      if (character !== '"') return at;
      const end = endOfString(text, at);
      if (!end.closed) return end.at;
      expected = "colon";
      ({ at } = end);
    } else if (character === "{" || character === "[") {
      open.push(character);
      expected = character === "{" ? "name or end" : "item or end";
      at++;
    } else {
      const end = character === '"' ? endOfString(text, at) : endOfScalar(text, at);
      if (!end.closed) return end.at;
      expected = "more";
      ({ at } = end);
    }
  }
  return at;
}

interface End {
  readonly at: number;
  /** False: it is wrong there. */
  readonly closed: boolean;
}

const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const escape = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

function endOfScalar(text: string, start: number): End {
  scalar.lastIndex = start;
  const closed = scalar.test(text);
  return { at: closed ? scalar.lastIndex : start, closed };
}

function endOfString(text: string, start: number): End {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) return { at: at + 1, closed: true };
    if (character < 0x20) return { at, closed: false };
    if (character !== 0x5c) continue;
    escape.lastIndex = at;
    if (!escape.test(text)) return { at, closed: false };
    at = escape.lastIndex - 1;
  }
  return { at: text.length, closed: false };
}

function skipSpace(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;)
    code = text.charCodeAt(++at);
  return at;
}
