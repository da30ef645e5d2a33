import type { StreamForm } from "../../api/endpoints.ts";
import { streamTailBytes } from "./stream-end.ts";

/** The last part of a stream that went to the client. Buffers are kept as they are: nothing is copied before its end. */
export class StreamTail {
  readonly #form: StreamForm;
  #pieces: Buffer[] = [];
  #length = 0;
  /** The last event of `/v1/responses` repeats the whole answer, so its name may be far from its end. */
  sawEnd = false;

  constructor(form: StreamForm) {
    this.#form = form;
  }

  add(bytes: Buffer): void {
    if (this.#form === "responses" && !this.sawEnd)
      this.sawEnd = /"response\.(completed|incomplete)"/.test(bytes.toString("latin1"));
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    while (this.#length - this.#pieces[0]!.length >= streamTailBytes) this.#length -= this.#pieces.shift()!.length;
  }

  text(): string {
    const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    return bytes.subarray(-streamTailBytes).toString("latin1");
  }
}
