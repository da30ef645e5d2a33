/**
 * What people have written to each other on Signal must not pass through the edge, which would see it before it seals it.
 * This catches the honest mistake of pointing signal-cli here; it is no wall against somebody who disguises a message.
 */

/** Media types by which a sender says that it has sealed the body itself (RFC 7515 §9.2, RFC 9052 §11, RFC 3156 §4). */
const sealedTypes = new Set([
  "application/jose",
  "application/jose+json",
  "application/cose",
  "application/pgp-encrypted",
]);

export function decideIsSignalPlaintext(contentType: string | undefined, body: Uint8Array): boolean {
  const [type = ""] = (contentType ?? "").toLowerCase().split(";", 1);
  return !sealedTypes.has(type.trim()) && isOfSignal(parseJson(body));
}

/** As signal-cli says it over JSON-RPC (signal-cli-jsonrpc(5)), alone or in a batch, and as its REST server says it. */
function isOfSignal(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isOfSignal);
  const { envelope, params, result } = fieldsOf(value);
  const { source, sourceUuid, sourceNumber } = fieldsOf(envelope);
  if ([source, sourceUuid, sourceNumber].some((one) => one !== undefined)) return true;
  return [params, result].some((below) => typeof below === "object" && isOfSignal(below));
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
