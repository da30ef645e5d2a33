/** Failures of evidence, in the two forms that its places have. */
import { errorCodes } from "../../../shared/errors.ts";
import { problemContentType, problemOfError } from "../../../shared/problem.ts";
import type { HttpResponse } from "../../server/terminator.ts";

export type AnswerError = (response: HttpResponse, error: unknown, headers: Readonly<Record<string, string>>) => void;

/** The hardware makes several quotes a second, so a queue that is full is not so for long. */
const retryAfterSeconds = 3;

/** RFC 9457. */
export const answerAsProblem: AnswerError = (response, error, headers) => {
  const problem = problemOfError(error);
  answer(response, problem.status, { ...headers, "content-type": problemContentType }, problem);
};

/** OpenAI's form, which ACI has too (`aci/1` §10). */
export const answerAsApi: AnswerError = (response, error, headers) => {
  const { code, status, detail } = problemOfError(error);
  const type = status < 500 ? (status === 429 ? "rate_limit_error" : "invalid_request_error") : "gateway_error";
  const body = { error: { message: detail, type, param: null, code: code.replaceAll("-", "_") } };
  answer(response, status, { ...headers, "content-type": "application/json" }, body);
};

function answer(response: HttpResponse, status: number, headers: Record<string, string>, body: object): void {
  const text = JSON.stringify(body);
  const more: Record<string, string | number> = { "content-length": Buffer.byteLength(text) };
  if (status === 429 || status === errorCodes.overloaded[0]) more["retry-after"] = retryAfterSeconds;
  if (status === 405) more["allow"] = "GET, OPTIONS";
  response.writeHead(status, { ...headers, ...more }).end(text);
}
