/** Where visitors of a name go, as DNS would say it, and whether they are answered there. */
import { get } from "node:https";
import type { Random } from "../fuzz/random.ts";
import type { SoakNode, SoakRelay, SoakWorld } from "./world.ts";

const askMs = 4_000;
const lookMs = 250;
const relaysPerNode = 2;

/** The relays that a visitor tries, in this order: those the edge names for the node and that the node has reached. */
export function relaysFor({ status }: SoakNode, { relays }: SoakWorld, random: Random): SoakRelay[] {
  const named = (status?.relays ?? []).flatMap(({ name, up }) => {
    const relay = relays.find(({ label }) => name.startsWith(`${label}.`));
    return relay ? [{ relay, up }] : [];
  });
  const reached = named.filter(({ up }) => up);
  const chosen = (reached.length > 0 ? reached : named).map(({ relay }) => relay);
  return random.below(2) === 0 ? chosen : chosen.toReversed();
}

/**
 * Asks every name through every relay that serves it until all have answered, each process runs and each node has as many
 * tunnels as it should. What is missing at the deadline, in words; nothing when all is well.
 */
export async function waitForAll(world: SoakWorld, deadlineMs: number, signal: AbortSignal): Promise<string[]> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const missing = (await Promise.all(world.nodes.map((node) => missingOf(node, world)))).flat();
    if (missing.length === 0 || signal.aborted || performance.now() > deadline) return missing;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

async function missingOf(node: SoakNode, world: SoakWorld): Promise<string[]> {
  const { label, status } = node;
  const relays = world.relays.filter((relay) => status?.relays.some(({ name }) => name.startsWith(`${relay.label}.`)));
  if (!node.member.runs) return [`${label} does not run`];
  if (relays.length < relaysPerNode) return [`${label} is named at ${relays.length} relays`];
  const down = status?.relays.filter(({ up }) => !up).map(({ name }) => `${label} has no tunnel to ${name}`) ?? [];
  const answers = await Promise.all(relays.map((relay) => ask(node, relay, world.ca)));
  return [...down, ...answers.flatMap((why, at) => (why ? [`${label} through ${relays[at]?.label}: ${why}`] : []))];
}

/** Why the name does not answer through this relay; undefined when it does. */
function ask({ hostname, label }: SoakNode, { port }: SoakRelay, ca: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, servername: hostname, headers: { host: hostname }, ca, agent: false };
    const request = get({ ...options, path: `/${label}`, timeout: askMs }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("error", (error) => resolve(error.message));
      response.once("end", () =>
        resolve(body === `/${label} heard` ? undefined : `wrong answer: ${body.slice(0, 100)}`),
      );
    });
    request.once("timeout", () => request.destroy(new Error(`no answer in ${askMs} ms`)));
    request.once("error", (error) => resolve(error.message));
  });
}
