import type { Given } from "./settings.ts";

/** What the operator does now. */
export function nextSteps(url: string, { ZONE = "", RELAY_KEYS = "", ISSUER }: Given): string {
  const relays =
    RELAY_KEYS === ""
      ? "No relay is let in yet. Start one, take the key that relay.started in its log has, and run this again with it."
      : `${RELAY_KEYS.split(/[\s,]+/).length} of them may connect; for another, run this again with all keys.`;
  return `
  The edge is up: ${url}

  relays    ${relays}
              RELAY_EDGE_URL=${url} RELAY_ZONE=${ZONE} RELAY_NAME=relay1.${ZONE} \\
              RELAY_PUBLIC_ADDRESSES=203.0.113.10 \\
              RELAY_IDENTITY_FILE=/var/lib/postern/identity.pem node relay/main.ts
  node      npm run postern -- start --edge ${url} --alias alice
              ${ISSUER === "acme" ? `https://alice.${ZONE} has its certificate a minute later` : "its clients need the CA's root"}
  watch     npm run postern -- status, GET ${url}/healthz, and the Worker's log: npx wrangler tail
  more      docs/deploy-edge.md
`;
}
