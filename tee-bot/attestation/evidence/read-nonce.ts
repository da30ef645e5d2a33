import { noncePattern } from "../../../shared/attestation/aci-statement.ts";
import { AppError } from "../../../shared/errors.ts";

/**
 * The nonce of a request target, 64 lower-case hex characters; undefined when none is given. Throws `bad-request` for
 * anything else: a nonce has one form only, so that nobody signs another statement by way of it.
 */
export function readNonce(target: string): string | undefined {
  const question = target.indexOf("?");
  const given = question < 0 ? [] : new URLSearchParams(target.slice(question + 1)).getAll("nonce");
  const [nonce] = given;
  if (given.length > 1) throw new AppError("bad-request", "Give one nonce, not several.");
  if (nonce !== undefined && !noncePattern.test(nonce))
    throw new AppError(
      "bad-request",
      "A nonce is 32 random bytes of your own as exactly 64 lower-case hex characters.",
    );
  return nonce;
}
