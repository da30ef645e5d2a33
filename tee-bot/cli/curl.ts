import { relative } from "node:path";
import { readIssuer } from "../certificate/issuer.ts";
import { filesIn } from "../config.ts";

/** A line to try a key with, from this machine: which models there are. */
export function curlOf(state: string, url: string, key: string): string {
  const { issuer, issuerChain } = filesIn(state);
  const near = relative(process.cwd(), issuerChain);
  const trust = readIssuer(issuer).trust === "private" ? `--cacert ${near.startsWith("..") ? issuerChain : near} ` : "";
  return `curl ${trust}${url}/v1/models -H "Authorization: Bearer ${key}"`;
}
