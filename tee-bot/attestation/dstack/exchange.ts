/**
 * One request to the guest agent and its whole answer. Each has a connection of its own: the agent closes idle ones
 * after 10 s, and one that dies just then must not take a request along.
 */
import { request, type IncomingMessage } from "node:http";
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { AgentAddress } from "./agent-place.ts";

export interface AgentRequest {
  readonly address: AgentAddress;
  /** With a slash before it. */
  readonly path: string;
  readonly body: object;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface AgentAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Of one answer. Info has the compose text (256 KiB at most) and the event log, both escaped once more in JSON. */
export const maxAnswerBytes = 4 * 1024 * 1024;

/** Throws {@link AppError}: `tee-absent` without a socket, `upstream-timeout`, `upstream-unavailable` for the rest. */
export async function exchange(asked: AgentRequest): Promise<AgentAnswer> {
  const ended = new AbortController();
  const deadline = new AbortController();
  asked.clock.sleep(asked.timeoutMs, ended.signal).then(
    () => deadline.abort(),
    () => undefined,
  );
  try {
    return await send(asked, deadline.signal);
  } catch (error) {
    throw error instanceof AppError ? error : describe(error, asked, deadline.signal.aborted);
  } finally {
    ended.abort();
  }
}

/** As messages call it. */
export function formatAddress(address: AgentAddress): string {
  return "socketPath" in address ? address.socketPath : `http://${address.host}:${address.port}`;
}

function send({ address, path, body }: AgentRequest, signal: AbortSignal): Promise<AgentAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = { "content-type": "application/json", "content-length": bytes.length, host: "dstack" };
  return new Promise((resolve, reject) => {
    const sent = request({ ...address, path, method: "POST", headers, agent: false, signal });
    sent.on("error", reject);
    sent.on("response", (response) => void readAnswer(response).then(resolve, reject));
    sent.end(bytes);
  });
}

async function readAnswer(response: IncomingMessage): Promise<AgentAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxAnswerBytes)
      throw new AppError("upstream-unavailable", `The guest agent's answer has more than ${maxAnswerBytes} bytes.`);
    parts.push(part);
  }
  const { statusCode: status = 0, headers } = response;
  return { status, contentType: headers["content-type"] ?? "", body: Buffer.concat(parts) };
}

function describe(error: unknown, { address, path, timeoutMs }: AgentRequest, late: boolean): AppError {
  const [where, call, cause] = [formatAddress(address), path.slice(1), { cause: error }];
  if (late) {
    const detail = `The guest agent at ${where} has not answered ${call} within ${timeoutMs / 1_000} s.`;
    return new AppError("upstream-timeout", detail, cause);
  }
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return new AppError("tee-absent", `Not in a TEE: no guest agent at ${where}.`, cause);
  const known = remedies[code];
  const detail = known
    ? `The guest agent cannot be reached at ${where}: ${known}`
    : `The guest agent at ${where} broke off ${call}: ${errorText(error)}.`;
  return new AppError("upstream-unavailable", detail, cause);
}

/** By the system's word for what went wrong. */
const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there. Start the VM, or the simulator, anew, and see that the path is right.",
  EACCES: "this user may not open it. Let it read and write the socket.",
};
