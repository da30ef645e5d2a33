/** The CA's objects (RFC 8555 §7.1) read from its answers; whatever is not as it should be is `unavailable`. */
import { z } from "zod";
import type { CaAuthorization, CaChallenge, CaOrder, ChallengeMethod } from "./ca.ts";
import { failureOfMember, unavailable } from "./failure.ts";

const url = z.url().max(1_000);

const orderSchema = z.object({
  status: z.enum(["pending", "ready", "processing", "valid", "invalid"]),
  authorizations: z.array(url).min(1).max(100),
  finalize: url,
  certificate: url.optional(),
  error: z.unknown().optional(),
});

export function readOrderAnswer(body: unknown, orderUrl: unknown, retryAfterMs: number | undefined): CaOrder {
  const order = orderSchema.safeParse(body);
  const at = url.safeParse(orderUrl);
  if (!order.success || !at.success) throw unavailable("The CA's answer is no ACME order.");
  const { status, authorizations, finalize, certificate } = order.data;
  const error = failureOfMember(order.data.error);
  return {
    url: at.data,
    status,
    authorizations,
    finalize,
    ...(certificate !== undefined && { certificate }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(error && { error }),
  };
}

const authorizationSchema = z.object({
  identifier: z.object({ type: z.literal("dns"), value: z.string().min(1).max(253) }),
  status: z.enum(["pending", "valid", "invalid", "deactivated", "expired", "revoked"]),
  challenges: z.array(z.unknown()).max(50),
});

const challengeSchema = z.object({
  type: z.enum(["dns-01", "tls-alpn-01"]),
  url,
  status: z.enum(["pending", "processing", "valid", "invalid"]),
  token: z.string().regex(/^[\w-]{1,512}$/), // §8.1: base64url
  error: z.unknown().optional(),
});

/** Makes the response to a challenge out of its token. */
type Respond = (challenge: { type: ChallengeMethod; token: string }) => Promise<string>;

/** Challenges of types that are not known are left out. */
export async function readAuthorizationAnswer(
  body: unknown,
  authorizationUrl: string,
  respond: Respond,
): Promise<CaAuthorization> {
  const authorization = authorizationSchema.safeParse(body);
  if (!authorization.success) throw unavailable("The CA's answer is no ACME authorization.");
  const { identifier, status, challenges } = authorization.data;
  const known = challenges.flatMap((challenge) => challengeSchema.safeParse(challenge).data ?? []);
  return {
    url: authorizationUrl,
    hostname: identifier.value.toLowerCase(),
    status,
    challenges: await Promise.all(known.map((challenge) => answeredChallenge(challenge, respond))),
  };
}

async function answeredChallenge(
  { type, url: at, status, token, error }: z.infer<typeof challengeSchema>,
  respond: Respond,
): Promise<CaChallenge> {
  const failure = failureOfMember(error);
  return { type, url: at, status, response: await respond({ type, token }), ...(failure && { error: failure }) };
}

const maxChainCertificates = 10;

/** A PEM chain, leaf first (§9.1), without whatever stands between its blocks. */
export function readChainAnswer(body: unknown): string {
  const text = typeof body === "string" ? body : "";
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  const begun = text.split("-----BEGIN").length - 1;
  if (blocks.length === 0 || blocks.length !== begun || blocks.length > maxChainCertificates)
    throw unavailable("The CA's answer is no certificate chain, or not all of it.");
  return `${blocks.join("\n")}\n`;
}
