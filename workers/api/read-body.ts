import { joinBytes } from "../../shared/bytes.ts";
import { AppError } from "../../shared/errors.ts";
import { maxRequestBytes } from "../../shared/registry/messages.ts";

export const bodyDeadlineMs = 10_000;

/**
 * The body's bytes; `too-large` as soon as more than `maxBytes` have come, whatever was announced, and
 * `bad-request` when it is not all there after `deadlineMs`.
 */
export async function readBody(
  request: Request,
  deadlineMs: number = bodyDeadlineMs,
  maxBytes: number = maxRequestBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!request.body) return new Uint8Array(0);
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  let timer: number | null = null;
  const late = new Promise<never>((_, reject) => {
    const refusal = new AppError("bad-request", `The body did not arrive within ${deadlineMs / 1000} seconds.`);
    timer = setTimeout(() => reject(refusal), deadlineMs);
  });
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return joinBytes(chunks);
      length += value.length;
      if (length > maxBytes) throw new AppError("too-large", `A request has at most ${maxBytes} bytes here.`);
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
    void reader.cancel().catch(() => {});
  }
}
