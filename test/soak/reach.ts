/** Where visitors of a name go, as DNS would say it, and whether they are answered there. */
import { get } from "node:https";
import type { Random } from "../fuzz/random.ts";
import type { SoakNode, SoakRelay, SoakWorld } from "./world.ts";

const askMs = 4_000;
const lookMs = 250;
const relaysPerNode = 2;
const strayEvery = 4;

export interface Way {
  /** Addresses in the order they are tried. */
  readonly relays: readonly SoakRelay[];
  /** The first has no tunnel of the node's: the visitor is forwarded, and depends on a relay that it does not know. */
  readonly forwarded: boolean;
}

/**
 * Where a visitor goes: to the relays that the edge names for the node and that the node has reached, as DNS would say;
 * now and then to any relay, as one who remembers what DNS said long ago.
 */
export function wayTo(node: SoakNode, { relays }: SoakWorld, random: Random): Way {
  const named = namedRelays(node, relays);
  const reached = named.filter(({ up }) => up);
  const served = (reached.length > 0 ? reached : named).map(({ relay }) => relay);
  const first = random.below(2) === 0 ? served : served.toReversed();
  const stray = random.pick(relays);
  if (random.below(strayEvery) > 0 || !stray.member.runs || served.includes(stray))
    return { relays: first, forwarded: false };
  return { relays: [stray, ...first], forwarded: true };
}

function namedRelays({ status }: SoakNode, relays: readonly SoakRelay[]): { relay: SoakRelay; up: boolean }[] {
  return (status?.relays ?? []).flatMap(({ name, up }) => {
    const relay = relays.find(({ label }) => name.startsWith(`${label}.`));
    return relay ? [{ relay, up }] : [];
  });
}

/**
 * Asks every name through every relay, which serves or forwards it, until all have answered, each process runs and each node has as many
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
  const { label, member } = node;
  if (!member.runs) return [`${label} does not run`];
  const named = namedRelays(node, world.relays);
  if (named.length < relaysPerNode) return [`${label} is named at ${named.length} relays`];
  const down = named.filter(({ up }) => !up).map(({ relay }) => `${label} has no tunnel to ${relay.label}`);
  const answers = await Promise.all(world.relays.map((relay) => ask(node, relay, world.ca)));
  return [
    ...down,
    ...answers.flatMap((why, at) => (why ? [`${label} through ${world.relays[at]?.label}: ${why}`] : [])),
  ];
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
