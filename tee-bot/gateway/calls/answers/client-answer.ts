import { constants } from "node:http2";
import type { HttpResponse } from "../../../server/terminator.ts";
import { ApiError } from "../../api/api-error.ts";

/**
 * Told what the client does meanwhile. An object rather than two functions: V8 makes a function that is assigned to a
 * property in its old generation, where it keeps all that it can see until the next full collection (Node 24.21).
 * Of every call 9 kB were kept, and a process had twice the memory.
 */
export interface ClientListener {
  /** It left before its answer was complete. */
  clientLeft(): void;
  /** What was written is on its way, after a `write` that returned false. */
  clientDrained(): void;
}

/** The client's end of one call: what it is told, and whether it is still there. */
export interface ClientAnswer {
  /** It left before its answer was complete. */
  readonly left: boolean;
  readonly begun: boolean;
  /** Aborts when it leaves, with {@link ApiError} `client_closed_request`. */
  readonly signal: AbortSignal;
  listener: ClientListener | undefined;
  /** `headers`: names and values in turn. */
  begin(status: number, headers: readonly string[]): void;
  /** False: the client is slow, and the listener is told when it takes more. */
  write(bytes: Buffer): boolean;
  end(bytes?: Buffer): void;
  /** Ends it so that nobody can take it for complete. */
  breakOff(): void;
}

export class HttpAnswer implements ClientAnswer {
  readonly #response: HttpResponse;
  #controller: AbortController | undefined;
  left = false;
  listener: ClientListener | undefined;

  constructor(response: HttpResponse) {
    this.#response = response;
    response.on("close", () => this.#onClose());
    response.on("error", ignore); // followed by its close
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
    this.#response.once("drain", () => this.listener?.clientDrained());
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

  #onClose(): void {
    if (this.#response.writableEnded) return;
    this.left = true;
    this.#controller?.abort(clientLeft());
    this.listener?.clientLeft();
  }
}

function ignore(): void {}

function clientLeft(): ApiError {
  return new ApiError("client_closed_request", "The client left before its answer.");
}
