/** What a machine that is off, or a server that is not running, looks like from here. */
const refusedCodes = ["ECONNREFUSED", "ENOENT", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"];
const silentCodes = ["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "ENOTFOUND", "EAI_AGAIN"];

/** Nothing listens there, beyond doubt. */
export function isRefused(error: unknown): boolean {
  return hasCode(error, refusedCodes);
}

/** No connection could be made, which may also be the fault of the way. */
export function isUnreachable(error: unknown): boolean {
  return hasCode(error, refusedCodes) || hasCode(error, silentCodes);
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return ("code" in error && codes.includes(String(error.code))) || (inner !== undefined && hasCode(inner, codes));
}
