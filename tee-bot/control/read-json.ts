import type { HonoRequest } from "hono";
import { AppError } from "../../shared/errors.ts";

const maxBodyBytes = 16 * 1024;

/** The body of a request, undefined where it is no JSON. Throws {@link AppError} when it is too large, or does not say. */
export async function readJson(request: HonoRequest): Promise<unknown> {
  if (!(Number(request.header("content-length") ?? Number.NaN) <= maxBodyBytes))
    throw new AppError("too-large", `A request has at most ${maxBodyBytes} bytes, and says so.`);
  return request.json().catch(() => undefined);
}
