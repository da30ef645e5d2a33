import { constants } from "node:http2";
import type { HttpResponse } from "../../server/terminator.ts";
import { ApiError } from "../api/api-error.ts";

/** The client's end of one call: what it is told, and whether it is still there. */
export interface ClientAnswer {
  /** It left before its answer was complete. */
  readonly left: boolean;
  readonly begun: boolean;
  /** Aborts when it leaves, with {@link ApiError} `client_closed_request`. */
  readonly signal: AbortSignal;
  /** Called once, when it leaves. */
  onLeft: (() => void) | undefined;
  /** Called when what was written is on its way, after a `write` that returned false. */
  onDrain: (() => void) | undefined;
  /** `headers`: names and values in turn. */
  begin(status: number, headers: readonly string[]): void;
  /** False: the client is slow, and `onDrain` will be called. */
  write(bytes: Buffer): boolean;
  end(bytes?: Buffer): void;
  /** Ends it so that nobody can take it for complete. */
  breakOff(): void;
}

export class HttpAnswer implements ClientAnswer {
  readonly #response: HttpResponse;
  #controller: AbortController | undefined;
  left = false;
  onLeft: (() => void) | undefined;
  onDrain: (() => void) | undefined;

  constructor(response: HttpResponse) {
    this.#response = response;
    response.once("close", () => {
      if (response.writableEnded) return;
      this.left = true;
      this.#controller?.abort(clientLeft());
      this.onLeft?.();
    });
    response.on("error", () => {}); // followed by its close
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  get signal(): AbortSignal {
    if (this.left) return AbortSignal.abort(clientLeft());
    return (this.#controller ??= new AbortController()).signal;
  }

  begin(status: number, headers: readonly string[]): void {
    if (!this.left) this.#response.writeHead(status, headers as string[]);
  }

  write(bytes: Buffer): boolean {
    if (this.left || this.#response.write(bytes)) return true;
    this.#response.once("drain", () => this.onDrain?.());
    return false;
  }

  end(bytes?: Buffer): void {
    if (!this.left) this.#response.end(bytes);
  }

  breakOff(): void {
    const { stream } = this.#response;
    if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.#response.destroy();
  }
}

function clientLeft(): ApiError {
  return new ApiError("client_closed_request", "The client left before its answer.");
}
