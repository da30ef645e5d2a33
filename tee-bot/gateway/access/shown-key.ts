import type { IncomingHttpHeaders } from "node:http";

const bearer = /^bearer +/i;
/** A key of ours has 57; what is longer is not worth a hash. */
export const maxKeyLength = 256;

/** The key that a client shows, of whatever kind it is; undefined when it shows none. */
export function readShownKey({ authorization, "x-api-key": other }: IncomingHttpHeaders): string | undefined {
  const shown = authorization !== undefined && bearer.test(authorization) ? authorization.replace(bearer, "") : other;
  return typeof shown === "string" && shown !== "" ? shown.trim() : undefined;
}
