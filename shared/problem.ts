import { z } from "zod";
import { AppError, errorCodes, type ErrorCode } from "./errors.ts";

/** RFC 9457 problem details; `code` is the word of the vocabulary, `type` the same as a URN. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  detail: z.string(),
  requestId: z.string().optional(),
});

export type Problem = z.infer<typeof problemSchema>;

export const problemContentType = "application/problem+json";

export function problemOf(code: ErrorCode, detail: string, requestId?: string): Problem {
  const [status, title] = errorCodes[code];
  return { type: `urn:postern:problem:${code}`, title, status, code, detail, ...(requestId && { requestId }) };
}

/** Anything thrown as a problem; what was not foreseen shows no detail outside. */
export function problemOfError(error: unknown, requestId?: string): Problem {
  if (error instanceof AppError) return problemOf(error.code, error.detail, requestId);
  return problemOf("internal", "The cause is in the log, under the request id.", requestId);
}

/** The answer of another process as an {@link AppError}; an answer that is no problem document becomes `internal`. */
export function errorOfProblem(body: unknown, status: number): AppError {
  const problem = problemSchema.safeParse(body);
  if (problem.success) return new AppError(problem.data.code, problem.data.detail);
  return new AppError("internal", `The answer had status ${status} and was no problem document.`);
}
