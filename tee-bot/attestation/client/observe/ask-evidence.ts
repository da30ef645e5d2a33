/** Asks for the evidence on a TLS connection that is there already: no other one is opened, no redirect is followed. */
import { request, type IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { evidencePath, evidenceSchema, maxEvidenceBytes } from "../../../../shared/attestation/evidence.ts";
import { AppError, errorText } from "../../../../shared/errors.ts";
import { problemSchema } from "../../../../shared/problem.ts";
import type { Shown } from "../observation.ts";

/** A node may have to wait for its turn at the hardware. */
const evidenceDeadlineMs = 20_000;

export interface Question {
  /** `Host`: with the port where it is not 443. */
  readonly host: string;
  /** Hex. */
  readonly nonce: string;
  readonly signal: AbortSignal;
}

/** Throws {@link AppError} when there is no whole answer, or one that says nothing of the evidence. */
export async function askEvidence(socket: TLSSocket, { host, nonce, signal }: Question): Promise<Shown> {
  const deadline = AbortSignal.timeout(evidenceDeadlineMs);
  try {
    const response = await ask(socket, host, nonce, AbortSignal.any([signal, deadline]));
    return read(response, await readBody(response));
  } catch (error) {
    if (error instanceof AppError) throw error;
    const late = deadline.aborted;
    throw new AppError(
      late ? "upstream-timeout" : "upstream-unavailable",
      late
        ? `${host} did not answer within ${evidenceDeadlineMs / 1000} s.`
        : `${host} did not answer: ${errorText(error)}.`,
      { cause: error },
    );
  }
}

function ask(socket: TLSSocket, host: string, nonce: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({
      createConnection: () => socket,
      path: `${evidencePath}?nonce=${nonce}`,
      headers: { host, accept: "application/json", "accept-encoding": "identity", connection: "close" },
      signal,
    });
    sent.once("response", resolve).on("error", reject).end();
  });
}

/** Undefined: it is longer than any evidence. */
async function readBody(response: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxEvidenceBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function read({ statusCode = 0, headers }: IncomingMessage, body: string | undefined): Shown {
  const none = (detail: string): Shown => ({ kind: "none", detail: `The node shows no evidence: ${detail}` });
  if (statusCode === 200) {
    if (body === undefined) return none(`its answer has more than ${maxEvidenceBytes} bytes.`);
    if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) return none("its answer is not JSON.");
    const document = parseJson(body);
    const { data, error } = evidenceSchema.safeParse(document);
    if (data) return { kind: "evidence", evidence: data, document };
    return none(`its answer is of another form (${whereWrong(error?.issues[0]?.path ?? [])}).`);
  }
  if (statusCode >= 300 && statusCode < 400)
    return none("it sends the question elsewhere, and another connection would not be this one.");
  const problem = problemSchema.safeParse(parseJson(body ?? ""));
  if (problem.data?.code === "tee-absent") return none(problem.data.detail);
  // A service that is not a node, or a node of an older version.
  if (statusCode === 404 || statusCode === 405 || statusCode === 401 || statusCode === 403)
    return none(`it answers with status ${statusCode}.`);
  const why = problem.data ? `: ${problem.data.detail}` : ".";
  throw new AppError("upstream-unavailable", `The node has no evidence now, status ${statusCode}${why}`);
}

const whereWrong = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? "no object" : `wrong at ${path.map(String).join(".")}`;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
