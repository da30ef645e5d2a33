import { usualPorts, type LaunchOptions } from "./options.ts";
import { choosePort } from "./ports.ts";
import type { Progress } from "./progress.ts";

/** Where each part of the stack listens; a usual port that is taken gives way, and the operator is told. */
export async function choosePorts(options: LaunchOptions, progress: Progress) {
  const choices = {
    visitors: await choosePort("visitors", usualPorts.visitors, options.port),
    edge: await choosePort("edge", usualPorts.edge, options.edgePort),
    gateway: await choosePort("gateway", usualPorts.gateway, undefined),
    control: await choosePort("control API", usualPorts.control, undefined),
    ...(options.signal && {
      signal: await choosePort("simulated Signal", usualPorts.signal, undefined),
      hook: await choosePort("bot's mail", usualPorts.hook, undefined),
    }),
  };
  for (const [name, { port, moved }] of Object.entries(choices))
    if (moved)
      progress.note(
        `port ${usualPorts[name as keyof typeof usualPorts]} is taken; the ${name} port is ${port} this time`,
      );
  return {
    visitors: choices.visitors.port,
    edge: choices.edge.port,
    gateway: choices.gateway.port,
    control: choices.control.port,
    signal: choices.signal?.port ?? 0,
    hook: choices.hook?.port ?? 0,
  };
}
