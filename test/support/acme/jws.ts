/** What an ACME request says, without checking its signature: that is the CA's part. */

export interface AcmeRequest {
  /** URL of the account; absent where the request carries its key instead (newAccount, revocation by key). */
  readonly kid?: string;
  readonly url?: string;
  /** Undefined for POST-as-GET. */
  readonly payload: Readonly<Record<string, unknown>> | undefined;
}

/** Undefined when the body is no flattened JWS (RFC 7515 §7.2.2) of JSON. */
export function readAcmeRequest(body: Buffer): AcmeRequest | undefined {
  try {
    const jws = JSON.parse(body.toString()) as { protected: string; payload: string };
    const { kid, url } = decode(jws.protected) as { kid?: string; url?: string };
    const payload = jws.payload === "" ? undefined : (decode(jws.payload) as Record<string, unknown>);
    return { ...(kid !== undefined && { kid }), ...(url !== undefined && { url }), payload };
  } catch {
    return undefined;
  }
}

const decode = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
