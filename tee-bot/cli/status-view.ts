import type { NodeStatus } from "../control/status.ts";

/** The status as a person reads it: the verdict first, then each step. */
export function formatStatus(status: NodeStatus, color: boolean): string {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { health } = status;
  const verdict = { healthy: paint(32, "healthy"), degraded: paint(33, "degraded"), starting: paint(33, "starting") };
  const lines = [
    `${status.url ?? "no name yet"}  ${verdict[health.status]}`,
    "",
    ...health.steps.map(
      ({ step, ok, detail }) => `  ${ok ? paint(32, "✓") : paint(31, "✗")} ${step.padEnd(13)} ${detail}`,
    ),
    "",
    `  behind the name  ${status.target}`,
    `  local gateway    ${status.gateway}`,
    ...status.hostnames.slice(1).map((name) => `  also known as    ${name}`),
  ];
  return `${lines.join("\n")}\n`;
}
