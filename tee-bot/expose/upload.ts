import type { HttpRequest } from "../server/terminator.ts";

/** Whether a request has a body to pass on. */
export function hasBody(request: HttpRequest): boolean {
  if (request.stream) return !request.stream.endAfterHeaders;
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}

/**
 * The body of a request, read at the pace of who takes it. Throws when the visitor leaves before its end: HTTP/2 of
 * Node ends the stream of a request that was reset as if it were complete. Whoever stops early leaves the rest to be
 * read and dropped, so that the visitor comes to see the answer.
 */
export async function* readUpload(request: HttpRequest): AsyncGenerator<Buffer> {
  const { stream } = request; // gone from the request once it is closed
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    if (request.aborted || (stream && stream.rstCode !== 0)) throw new Error("the visitor left amid the upload");
  } finally {
    request.resume();
  }
}
