import type { NodeStatus } from "../control/status.ts";
import { formatTroubles, painter } from "./paint.ts";

/** The status as a person reads it: the verdict first, then each step. */
export function formatStatus(status: NodeStatus, color: boolean): string {
  const paint = painter(color);
  const { health, certificate } = status;
  const verdict = paint(health.status === "healthy" ? "green" : "yellow", health.status);
  const { trouble } = certificate;
  const lines = [
    `${status.url ?? "no name yet"}  ${verdict}`,
    "",
    ...health.steps.map(
      ({ step, ok, detail }) => `  ${ok ? paint("green", "✓") : paint("red", "✗")} ${step.padEnd(13)} ${detail}`,
    ),
    "",
    `  behind the name  ${status.target}`,
    `  local gateway    ${status.gateway}`,
    ...status.hostnames.slice(1).map((name) => `  also known as    ${name}`),
    ...formatTroubles([...(trouble ? [trouble] : []), ...status.troubles], color),
  ];
  return `${lines.join("\n")}\n`;
}
