/**
 * The top-level `model` of a request body, found in its bytes. A body is passed on as it came; where a provider knows the
 * model by another name, that one value is replaced and every other byte stays. Bodies given here are valid JSON objects.
 */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const field = '"model"';

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The body with another model; the last `model` counts where there are several, as for `JSON.parse`. */
export function replaceModel(body: Buffer, model: string): Buffer {
  const value = modelValues(body).at(-1);
  if (!value) return body;
  return Buffer.concat([body.subarray(0, value.start), Buffer.from(JSON.stringify(model)), body.subarray(value.end)]);
}

/**
 * Whether a body names its model once. JSON leaves open which of two members of one name counts, so a provider might
 * read another model than the one that was allowed here.
 */
export function namesOneModel(body: Buffer): boolean {
  const first = body.indexOf(field);
  const plain = first >= 0 && first === body.lastIndexOf(field) && !body.includes("\\u00");
  return plain || modelValues(body).length === 1;
}

/** Where the values of every top-level `model` are, quotes included; a value that is no string counts as empty. */
function modelValues(body: Buffer): Span[] {
  const found: Span[] = [];
  let depth = 0;
  let isName = false;
  for (let at = 0; at < body.length;) {
    const byte = body[at];
    if (byte === quote) {
      const end = endOfString(body, at);
      if (isName && isModel(body, at, end)) {
        const start = startOfValue(body, end);
        found.push({ start, end: body[start] === quote ? endOfString(body, start) : start });
      }
      isName = false;
      at = end;
      continue;
    }
    if (isOpening(byte)) {
      depth++;
      isName = depth === 1;
    } else if (isClosing(byte)) depth--;
    else if (byte === comma) isName = depth === 1;
    at++;
  }
  return found;
}

/** A name may be written with escapes: `"mod\u0065l"`. */
function isModel(body: Buffer, start: number, end: number): boolean {
  const name = body.toString("latin1", start, end);
  return name === field || (name.includes("\\") && JSON.parse(name) === "model");
}

function startOfValue(body: Buffer, endOfName: number): number {
  let at = endOfName;
  for (let byte = body[at]; byte === colon || isSpace(byte); byte = body[at]) at++;
  return at;
}

/** Just behind the closing quote of the string that begins at `start`. */
function endOfString(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === backslash) at++;
    else if (body[at] === quote) return at + 1;
  }
  return body.length;
}

// RFC 8259 §2
const isOpening = (byte: number | undefined): boolean => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number | undefined): boolean => byte === 0x7d || byte === 0x5d;
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
