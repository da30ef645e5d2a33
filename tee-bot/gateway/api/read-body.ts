import { constants } from "node:http2";
import type { HttpRequest } from "../../server/terminator.ts";
import { Deadline } from "../deadline.ts";
import { ApiError } from "./api-error.ts";

export interface UploadLimits {
  readonly maxBytes: number;
  /** Without a byte for so long the upload is given up. */
  readonly idleMs: number;
  /** Takes memory for more of it; false: there is none left. */
  readonly take: (bytes: number) => boolean;
}

/** What is read of an upload that nobody wants, so that its sender comes to see why; then it is cut off. */
const maxDroppedBytes = 128 * 1024 * 1024;
const maxDropMs = 20_000;
const noRoomRetryMs = 5_000;

/**
 * The whole body of a request. Throws {@link ApiError}: `body_too_large` as soon as that is known, `request_timeout`,
 * `overloaded`, `client_closed_request`. What is left of the upload then is the caller's: {@link dropUpload}.
 */
export function readBody(request: HttpRequest, { maxBytes, idleMs, take }: UploadLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return reject(tooLarge(maxBytes));
    const chunks: Buffer[] = [];
    let length = 0;
    let isOver = false;
    const deadline = new Deadline(() => stop(standsStill(idleMs)));
    deadline.set(idleMs);

    function onData(chunk: Buffer): void {
      if (isOver) return;
      length += chunk.length;
      if (length > maxBytes) return stop(tooLarge(maxBytes));
      if (!take(chunk.length)) return stop(noRoom());
      deadline.set(idleMs);
      chunks.push(chunk);
    }
    // HTTP/2 of Node ends the stream of a request that was reset as if it were complete.
    function onEnd(): void {
      if (isOver) return;
      if (request.aborted || (request.stream && request.stream.rstCode !== 0)) return stop(clientLeft());
      end();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    }
    function onClose(): void {
      if (!isOver) stop(clientLeft());
    }
    function stop(error: ApiError): void {
      end();
      reject(error);
    }
    function end(): void {
      isOver = true;
      deadline.clear();
    }
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}

/** Reads and drops what is left of an upload after its answer, up to a limit. */
export function dropUpload(request: HttpRequest): void {
  if (request.readableEnded || request.destroyed) return;
  const { stream, socket } = request;
  const cutOff = (): void => void (stream ? stream.close(constants.NGHTTP2_NO_ERROR) : socket.destroy());
  const timer = setTimeout(cutOff, maxDropMs);
  let left = maxDroppedBytes;
  request.on("error", () => {});
  request.once("close", () => clearTimeout(timer)).once("end", () => clearTimeout(timer));
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cutOff();
  });
}

function standsStill(idleMs: number): ApiError {
  return new ApiError("request_timeout", `Nothing of the body has come for ${idleMs / 1_000} s.`);
}

function noRoom(): ApiError {
  const message = "The bodies of other requests take all the memory there is for them. Try again soon.";
  return new ApiError("overloaded", message, { retryAfterMs: noRoomRetryMs });
}

function tooLarge(maxBytes: number): ApiError {
  const limit = `${Math.floor((maxBytes / 1024 / 1024) * 100) / 100} MiB`;
  return new ApiError("body_too_large", `The body is larger than the ${limit} that this gateway takes.`);
}

function clientLeft(): ApiError {
  return new ApiError("client_closed_request", "The client left amid its upload.");
}
