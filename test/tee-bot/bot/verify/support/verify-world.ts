/** A node on a simulated machine, a model at a stand-in for NEAR AI Cloud, and the command that looks at both. */
import type { Keyset } from "../../../../../shared/attestation/keyset.ts";
import { systemClock, type Clock } from "../../../../../shared/clock.ts";
import type { TeeState } from "../../../../../tee-bot/attestation/attestation.ts";
import { createSimulatorPki } from "../../../../../tee-bot/attestation/simulator/pki.ts";
import type { Command, CommandAnswer } from "../../../../../tee-bot/bot/commands/command.ts";
import type { MessageEvent } from "../../../../../tee-bot/bot/events/event.ts";
import type { ChosenModel } from "../../../../../tee-bot/bot/verify/look-at-model.ts";
import type { OwnNode } from "../../../../../tee-bot/bot/verify/look-at-node.ts";
import { verifyCommand, type VerifyCommandOptions } from "../../../../../tee-bot/bot/verify/verify-command.ts";
import { Sensitive } from "../../../../../shared/sensitive.ts";
import { NearCloud, nearModel } from "../../../../support/near/near-cloud.ts";
import { recordOf } from "../../../../support/near/record-of.ts";
import {
  hostname,
  startAttestedWorld,
  type AttestedWorld,
} from "../../../attestation/client/support/attested-world.ts";
import { recordingLog } from "../../../support/log.ts";

export const localModel: ChosenModel = { name: "demo", provider: "embedded", trust: "local" };
export const plainModel: ChosenModel = { name: "gpt-4o", provider: "openai", trust: "plain" };
export const attestedModel: ChosenModel = { name: nearModel, provider: "near-ai", trust: "attested" };

export interface VerifyWorld extends AsyncDisposable {
  readonly attested: AttestedWorld;
  readonly cloud: NearCloud;
  readonly log: ReturnType<typeof recordingLog>;
  command(options?: CommandOptions): Command;
}

interface CommandOptions {
  readonly model?: ChosenModel | undefined;
  readonly node?: Partial<OwnNode>;
  readonly examine?: VerifyCommandOptions["examine"];
  readonly clock?: Clock;
}

export const inSimulator = { tee: "simulated" } as unknown as TeeState;

export async function startVerifyWorld(keyset: Partial<Keyset> = {}): Promise<VerifyWorld> {
  await using stack = new AsyncDisposableStack();
  const attested = stack.use(await startAttestedWorld({ keyset }));
  const { pki } = attested;
  const otherPki = await createSimulatorPki({ now: Date.now() });
  const cloud = stack.use(await new NearCloud({ pki, otherPki }).start());
  const collateral = await pki.createCollateral({ now: Date.now() });
  const log = recordingLog();
  const trust = { root: pki.root, simulated: true };
  const examine: VerifyCommandOptions["examine"] = ({ model }, nonce, signal) =>
    recordOf(cloud, { model, trust, collateral, nonce, signal });
  const running = stack.move();
  return {
    attested,
    cloud,
    log,
    command: ({ node, clock = systemClock, ...options } = {}) =>
      verifyCommand({
        node: {
          tee: inSimulator,
          place: () => ({
            hostnames: [hostname],
            port: attested.server.port,
            roots: [attested.certificate.certificate],
          }),
          trust: () => trust,
          quoteNow: () => Promise.reject(new Error("it has a name")),
          ...node,
        },
        modelOf: () => Promise.resolve("model" in options ? options.model : localModel),
        examine: options.examine ?? examine,
        clock,
        log,
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function messageOf(person: string): MessageEvent {
  return {
    kind: "message",
    account: "+15550000001",
    person,
    name: undefined,
    number: undefined,
    timestamp: 1,
    chat: { kind: "direct", person },
    text: new Sensitive("!verify"),
    attachments: [],
    isViewOnce: false,
    expiresInSeconds: undefined,
    isMention: false,
    quote: undefined,
  };
}

export function say(command: Command, rest = "", person = "ann"): Promise<CommandAnswer> {
  return command.run({ event: messageOf(person), rest, signal: new AbortController().signal });
}
