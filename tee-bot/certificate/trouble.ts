import type { Trouble } from "../../shared/acme/ports.ts";
import { AppError, errorText, type ErrorCode } from "../../shared/errors.ts";

const unreachable = "Check this machine's network and that the edge is up; it is tried again by itself.";
const later = "Nothing needs to be done: it is tried again by itself.";

const remedies: Partial<Record<ErrorCode, string>> = {
  "upstream-unavailable": unreachable,
  "upstream-timeout": unreachable,
  "too-many-requests": later,
  "issuer-unavailable": "Whoever runs the edge has to look at its settings; it is tried again by itself.",
  "csr-rejected": "Check that the names are this node's: postern status lists them; it is tried again by itself.",
  "signature-expired": "Set this machine's clock.",
  "not-registered": later,
};

/** Failures after which the same order may still come to its end. */
const passing = new Set<ErrorCode>([
  "upstream-unavailable",
  "upstream-timeout",
  "too-many-requests",
  "issuer-unavailable",
  "internal",
]);

/** What a failed attempt was about, with its remedy. */
export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof AppError)) return { detail: errorText(error), remedy: "It is tried again by itself." };
  return { detail: error.detail, remedy: remedies[error.code] ?? "It is tried again by itself; the log says more." };
}

export function isPassing(error: unknown): boolean {
  return !(error instanceof AppError) || passing.has(error.code);
}

/** Whether the edge did not answer at all, so that an answer of it is a reason to try again. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof AppError && error.code === "upstream-unavailable";
}
