/** An answer's `id` stands in its first event, or near the beginning of its JSON. */
const maxHeadBytes = 64 * 1024;
/** An id goes into a URL. */
const plainId = /^[\w.:-]{1,200}$/;

/** Finds the id of an answer in its bytes as they come, of which it keeps the first ones only. */
export class AnswerId {
  #head: Buffer[] = [];
  #length = 0;

  add(piece: Uint8Array): void {
    if (this.#length >= maxHeadBytes) return;
    this.#head.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    this.#length += piece.byteLength;
  }

  /** Undefined: there is none. */
  find(): string | undefined {
    const head = Buffer.concat(this.#head).toString("utf8", 0, maxHeadBytes);
    this.#head = [];
    const event = /^data: ?(\{.*)$/m.exec(head)?.[1];
    const id = idOf(event ?? head) ?? firstId(head);
    return id !== undefined && plainId.test(id) ? id : undefined;
  }
}

function idOf(json: string): string | undefined {
  try {
    const { id } = JSON.parse(json) as { id?: unknown };
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Of JSON that goes on behind the head: only where it comes first is it the answer's, and not that of a tool call. */
function firstId(head: string): string | undefined {
  return /^\s*\{\s*"id"\s*:\s*"([^"\\]*)"/.exec(head)?.[1];
}
