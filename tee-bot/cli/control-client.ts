import { readFileSync } from "node:fs";
import type { z } from "zod";
import { errorText } from "../../shared/errors.ts";
import { errorOfProblem, problemSchema } from "../../shared/problem.ts";
import { filesIn } from "../config.ts";
import { controlFileSchema, nodeStatusSchema, type ControlFile, type NodeStatus } from "../control/status.ts";
import { CliError } from "./failure.ts";

const timeoutMs = 5_000;

/** How the node is whose state is in `directory`. Throws {@link CliError} when none runs. */
export function askStatus(directory: string): Promise<NodeStatus> {
  return askNode(directory, "GET", "/v1/status", nodeStatusSchema);
}

/** Asks the running node whose state is in `directory`. Throws {@link CliError} when none runs. */
export async function askNode<T>(
  directory: string,
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  form: z.ZodType<T>,
  body?: unknown,
): Promise<T> {
  const { url, token } = readControlFile(directory);
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new CliError(
      {
        what: "The node did not answer.",
        why: `Its control API at ${url} cannot be reached: ${errorText(error)}`,
        remedy: "It may have crashed. Start it again with: postern start",
      },
      { cause: error },
    );
  }
  const answer: unknown = await response.json().catch(() => undefined);
  const parsed = form.safeParse(answer);
  if (response.ok && parsed.success) return parsed.data;
  if (problemSchema.safeParse(answer).success) throw errorOfProblem(answer, response.status);
  throw new CliError({
    what: "The node did not answer.",
    why: `Something else, or another version, answers at ${url}, where its control API was.`,
    remedy: "It may have crashed. Start it again with: postern start",
  });
}

function readControlFile(directory: string): ControlFile {
  const path = filesIn(directory).control;
  try {
    return controlFileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new CliError(
      {
        what: "No node is running here.",
        why: `There is no control file at ${path}, or it cannot be read.`,
        remedy: "Start one with postern start (or npm start), or say where its state is: --state DIR",
      },
      { cause: error },
    );
  }
}
