/** Reads requests from the bytes of one connection, as strictly as the stand-in needs and no more. */

export interface ReadRequest {
  readonly method: string;
  /** With the query. */
  readonly target: string;
  /** Names and values as they came, in their order. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** By lower-case name; of several with one name the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const headEnd = "\r\n\r\n";

export class RequestReader {
  /** What has come and is not read, in pieces: a large body would be copied over and over. */
  #pieces: Buffer[] = [];
  #length = 0;
  /** Less than this is no whole request. */
  #needed = 0;

  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#length += chunk.length;
  }

  /** The next request, once all of it is there. */
  next(): ReadRequest | undefined {
    if (this.#length === 0 || this.#length < this.#needed) return undefined;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [bytes];
    const end = bytes.indexOf(headEnd);
    if (end < 0) return undefined;
    const [start = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
    const [method = "", target = ""] = start.split(" ");
    const rawHeaders = lines.map(parseHeader);
    const headers = Object.fromEntries(rawHeaders.map(([name, value]) => [name.toLowerCase(), value]));
    const from = end + headEnd.length;
    const counted = Number(headers["content-length"] ?? 0);
    const isChunked = headers["transfer-encoding"]?.includes("chunked") ?? false;
    const read = isChunked ? readChunked(bytes, from) : readCounted(bytes, from, counted);
    this.#needed = read ? 0 : isChunked ? this.#length + 1 : from + counted;
    if (!read) return undefined;
    this.#pieces = [bytes.subarray(read.end)];
    this.#length = bytes.length - read.end;
    return { method, target, rawHeaders, headers, body: read.body };
  }
}

interface Body {
  readonly body: Buffer;
  /** Where the next request begins. */
  readonly end: number;
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function readCounted(bytes: Buffer, from: number, length: number): Body | undefined {
  const end = from + length;
  return bytes.length < end ? undefined : { body: Buffer.from(bytes.subarray(from, end)), end };
}

/** RFC 9112 §7.1, without trailers. */
function readChunked(bytes: Buffer, from: number): Body | undefined {
  const chunks: Buffer[] = [];
  let at = from;
  while (true) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const begin = lineEnd + 2;
    const end = begin + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), end };
    chunks.push(bytes.subarray(begin, begin + size));
    at = end;
  }
}
