/** Where the last complete event of a stream ends, piece by piece. */
import type { StreamForm } from "../../api/endpoints.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class EventBoundary {
  readonly #lines: boolean;
  /** The last two bytes before the next piece. */
  #last = 0;
  #lastButOne = 0;

  constructor(form: StreamForm) {
    this.#lines = form === "ollama-lines";
  }

  /** Just behind the last event's end in this piece; 0: none ends in it. */
  next(piece: Buffer): number {
    const { length } = piece;
    let end = 0;
    for (let at = length - 1; at >= 0; at = at === 0 ? -1 : piece.lastIndexOf(lineFeed, at - 1)) {
      if (piece[at] === lineFeed && (this.#lines || this.#endsEmptyLine(piece, at))) {
        end = at + 1;
        break;
      }
    }
    if (length > 1) {
      this.#lastButOne = piece[length - 2]!;
      this.#last = piece[length - 1]!;
    } else if (length === 1) {
      this.#lastButOne = this.#last;
      this.#last = piece[0]!;
    }
    return end;
  }

  /** Whether the line that this line feed ends is empty: after `\n`, or after `\n\r`. */
  #endsEmptyLine(piece: Buffer, at: number): boolean {
    const before = this.#byteAt(piece, at - 1);
    return before === lineFeed || (before === carriageReturn && this.#byteAt(piece, at - 2) === lineFeed);
  }

  #byteAt(piece: Buffer, at: number): number {
    if (at >= 0) return piece[at]!;
    return at === -1 ? this.#last : this.#lastButOne;
  }
}
