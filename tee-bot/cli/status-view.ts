import type { BotState } from "../bot/bot-state.ts";
import type { NodeStatus } from "../control/status.ts";
import { formatTroubles, painter } from "./paint.ts";

/** The status as a person reads it: the verdict first, then each step. */
export function formatStatus(status: NodeStatus, color: boolean, now: number): string {
  const paint = painter(color);
  const { health, certificate } = status;
  const verdict = paint(verdictColors[health.status], health.status);
  const { trouble } = certificate;
  const lines = [
    `${status.url ?? "no name yet"}  ${verdict}`,
    "",
    ...health.steps.map(
      ({ step, ok, detail }) => `  ${ok ? paint("green", "✓") : paint("red", "✗")} ${step.padEnd(13)} ${detail}`,
    ),
    ...status.paths.map(
      ({ relay, state, checkedAt }) =>
        `      ${paint(state === "up" ? "green" : "red", state.padEnd(4))} through ${relay}, ${formatAge(now - checkedAt)}`,
    ),
    "",
    `  behind the name  ${status.target}`,
    `  local gateway    ${status.gateway}`,
    `  TEE              ${formatTee(status.tee, paint)}`,
    ...(status.signal ? [`  Signal bot       ${formatSignal(status.signal, paint)}`] : []),
    ...status.hostnames.slice(1).map((name) => `  also known as    ${name}`),
    ...formatTroubles([...(trouble ? [trouble] : []), ...status.troubles], color),
  ];
  return `${lines.join("\n")}\n`;
}

const verdictColors = { healthy: "green", degraded: "yellow", starting: "yellow", down: "red" } as const;

function formatTee(tee: NodeStatus["tee"], paint: ReturnType<typeof painter>): string {
  switch (tee) {
    case "dstack":
      return paint("green", "dstack: the keys come from there");
    case "simulated":
      return paint("red", "SIMULATED: nothing of this node is proven");
    case "none":
      return "none: the keys are files";
  }
}

function formatSignal(bot: BotState, paint: ReturnType<typeof painter>): string {
  const { answered, isStoreAway, mailbox, sending } = bot;
  const { waiting, inHand, replies, undecidable, dead } = mailbox;
  const { pause, troubles } = sending;
  const words = [`${answered} answered, ${waiting + inHand} waiting, ${replies} to send`];
  if (undecidable > 0) words.push(paint("yellow", `${undecidable} of unknown outcome`));
  if (dead > 0) words.push(paint("yellow", `${dead} given up`));
  if (pause) words.push(paint("red", `nothing is sent: ${pause.why}`));
  if (isStoreAway) words.push(paint("red", "its memory cannot be reached"));
  return [words.join(", "), ...troubles.map(({ text }) => `                   ${text}`)].join("\n");
}

function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
