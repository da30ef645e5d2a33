import { AppError, errorText, type ErrorCode } from "../../shared/errors.ts";

/** What a person in a terminal is told when a command fails: what happened, why, what to do. */
export interface Failure {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

/** A failure of a command that has its remedy with it. */
export class CliError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(`${failure.what} ${failure.why}`, options);
    this.failure = failure;
  }
}

const remedies: Partial<Record<ErrorCode, string>> = {
  forbidden: "Mend the permissions as said above, then try again.",
  "key-weak": "Use another key: postern id makes one.",
  "name-taken": "Choose another alias with --alias.",
  "name-invalid": "Choose another alias with --alias.",
  "name-reserved": "Choose another alias with --alias.",
  "tee-absent": "Mend that in postern.yaml, under attestation; postern config show lists what is in force.",
  "upstream-unavailable": "Check that what is named there is up, and that its address is right.",
};

/** `what` says which step failed, in the past tense. */
export function describeFailure(what: string, error: unknown): Failure {
  if (error instanceof CliError) return error.failure;
  if (error instanceof AppError)
    return { what, why: error.detail, remedy: remedies[error.code] ?? "Mend that, then try again." };
  return { what, why: errorText(error), remedy: "If this makes no sense, report it with the command you typed." };
}

export function formatFailure({ what, why, remedy }: Failure, color: boolean): string {
  const bold = (text: string): string => (color ? `\u001b[1;31m${text}\u001b[0m` : text);
  return `${bold(what)}\n  why:  ${why.replaceAll("\n", "\n        ")}\n  do:   ${remedy}\n`;
}
