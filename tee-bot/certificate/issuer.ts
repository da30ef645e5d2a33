import { readFileSync } from "node:fs";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { issuerSchema, type Issuer } from "../../shared/registry/messages.ts";

/** Who signs this node's certificates, asked of the edge and kept for when the edge is away. */
export async function fetchIssuer(edge: EdgeClient, path: string, signal: AbortSignal): Promise<Issuer> {
  const issuer = await edge.request("GET", "/v1/issuer", issuerSchema, { signal });
  writeFileAtomic(path, JSON.stringify(issuer));
  return issuer;
}

/** What the edge said last; at the first start a public CA is assumed. */
export function readIssuer(path: string): Issuer {
  try {
    return issuerSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return { kind: "acme", roots: [], trust: "public", directories: [], resolvers: [] };
  }
}
