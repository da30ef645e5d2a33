import { join, relative } from "node:path";
import { z } from "zod";
import type { Run } from "./run-file.ts";
import type { Stack } from "./stack.ts";

const demoModel = "postern-demo";
const timeoutMs = 5_000;
const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/** What a person is told when everything is up: above all a line that works when it is pasted. */
export async function summarize({ run, metrics, target }: Stack, seconds: number): Promise<string> {
  const { node, ca, state, gateway, zone, tee, signal } = run;
  const proof = tee ? `  TEE      SIMULATED: nothing here is proof\n  verify   ${verifyLine({ ...run, tee })}\n` : "";
  const bot = signal ? `  bot      ${signal.url}/ in a browser, or ${chatLine(signal)}\n` : "";
  return `
  ready after ${seconds.toFixed(1)} s

  URL      ${node.url}
  try      ${tryLine(run, target === "gateway" ? await whatToAsk(gateway) : undefined)}
  API key  ${node.key}
  CA       ${ca === null ? "publicly trusted" : `${here(ca)} (for clients: names below ${zone})`}
  gateway  ${gateway} (the same, without TLS and without a key, on this machine)
  metrics  ${metrics} (the relay's), ${gateway}/metrics (the gateway's)
  logs     ${here(join(state, "log"))}/
  status   npm run postern -- status --state ${here(join(state, "node"))}
${bot}${proof}  stop     Ctrl-C
`;
}

/** A talk with the bot in a terminal. */
export function chatLine({ url }: { url: string }): string {
  return `npm run postern -- signal chat --url ${url}`;
}

/** A check of the node's evidence, which ends in the verdict `simulated`. */
export function verifyLine({
  node,
  ca,
  zone,
  tee,
}: Pick<Run, "node" | "ca" | "zone"> & { tee: { root: string } }): string {
  const trust = ca === null ? "" : ` --cacert ${here(ca)}`;
  const connect = zone.endsWith("localhost") ? "" : ` --connect 127.0.0.1:${new URL(node.url).port}`;
  return `npm run postern -- verify${trust}${connect} --simulator-root ${here(tee.root)} ${node.url}`;
}

/** `ask`: what of the gateway; undefined where something else is behind the name. */
export function tryLine(
  { node, ca, zone }: Pick<Run, "node" | "ca" | "zone">,
  ask: "chat" | "models" | undefined,
): string {
  const trust = ca === null ? "" : ` --cacert ${here(ca)}`;
  const resolve = zone.endsWith("localhost") ? "" : ` --resolve ${new URL(node.url).host}:127.0.0.1`;
  const curl = `curl${trust}${resolve} ${node.url}`;
  const key = ` -H "Authorization: Bearer ${node.key}"`;
  if (ask === undefined) return `${curl}/`;
  if (ask === "models") return `${curl}/v1/models${key}`;
  const body = JSON.stringify({ model: demoModel, messages: [{ role: "user", content: "What is Postern?" }] });
  return `${curl}/v1/chat/completions${key} -H "Content-Type: application/json" -d '${body}'`;
}

/** A chat where the demo model is there to answer. */
async function whatToAsk(gateway: string): Promise<"chat" | "models"> {
  try {
    const response = await fetch(`${gateway}/v1/models`, { signal: AbortSignal.timeout(timeoutMs) });
    const { data } = modelsSchema.parse(await response.json());
    return data.some(({ id }) => id === demoModel) ? "chat" : "models";
  } catch {
    return "models";
  }
}

function here(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
