/**
 * `!verify [words]`: looks at this node's TEE and at that of the chat's model, both with nonces that are made of the
 * person's words, and answers with the verdict and the proof. Says what is so; what could not be looked at never passes.
 */
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { Sensitive } from "../../../shared/sensitive.ts";
import { drawChallenge, maxWordsLength, nonceOf, type Challenge } from "../../attestation/client/challenge.ts";
import { maxProofBytes } from "../../attestation/client/proof.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Command, CommandAnswer, CommandCall } from "../commands/command.ts";
import type { MessageEvent } from "../events/event.ts";
import type { ReplyAttachment } from "../mail/mailbox.ts";
import { decideBotVerdict } from "./decide-verdict.ts";
import { lookAtModel, type ChosenModel, type ModelLook } from "./look-at-model.ts";
import { lookAtNode, type NodeLook, type OwnNode } from "./look-at-node.ts";
import { renderVerdict } from "./render-verdict.ts";
import { SingleFlight } from "./single-flight.ts";
import { VerifyLimits, verifiesPerPerson, verifyWindowMs } from "./verify-limits.ts";

export interface VerifyCommandOptions {
  readonly node: OwnNode;
  /** The one that would answer in the chat of this message; undefined: there is none now. */
  readonly modelOf: (event: MessageEvent, signal: AbortSignal) => Promise<ChosenModel | undefined>;
  /** Of the node's own gateway. */
  readonly examine: Gateway["examine"];
  readonly clock: Clock;
  readonly log: Log;
}

/** Of both layers together, with the wait for others' turns. */
export const verifyTimeoutMs = 60_000;
const minuteMs = 60_000;

export function verifyCommand(options: VerifyCommandOptions): Command {
  const limits = new VerifyLimits();
  const flight = new SingleFlight();
  return {
    name: "verify",
    aliases: [],
    usage: "!verify [words]",
    summary: "proves where this bot and its model run, as far as that can be proved",
    detail:
      "Looks at the evidence of this bot's TEE and of the model's, now. Words of your own behind it go into the question, so " +
      "that nobody can have made the answer before. You get the verdict, and a file with which you can check it yourself.",
    run: (call) => run(call, options, limits, flight),
  };
}

async function run(
  call: CommandCall,
  options: VerifyCommandOptions,
  limits: VerifyLimits,
  flight: SingleFlight,
): Promise<CommandAnswer> {
  const { event, rest } = call;
  const words = rest.trim();
  if (words.length > maxWordsLength)
    return { text: `Your words are too long. Give at most ${maxWordsLength} characters after \`!verify\`.` };
  const waitMs = limits.count(event.person, options.clock.now());
  if (waitMs !== undefined) return { text: tooOften(waitMs) };
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(verifyTimeoutMs)]);
  try {
    return await flight.run(() => verify(event, drawChallenge(words), options, signal), signal);
  } catch (error) {
    if (call.signal.aborted) throw error;
    options.log.warn("verification.failed", { error: error instanceof AppError ? error.code : errorText(error) });
    return { text: failureText(error, signal) };
  }
}

async function verify(
  event: MessageEvent,
  challenge: Challenge,
  { node, modelOf, examine, clock, log }: VerifyCommandOptions,
  signal: AbortSignal,
): Promise<CommandAnswer> {
  const startedAt = clock.now();
  const [nonce, modelNonce] = [nonceOf(challenge, "node"), nonceOf(challenge, "model")];
  const [ofNode, ofModel] = await Promise.all([
    lookAtNode(node, { nonce, clock, signal }),
    modelOf(event, signal).then((chosen) => lookAtModel(chosen, examine, { nonce: modelNonce, signal })),
  ]);
  const verdict = decideBotVerdict(ofNode, ofModel);
  const attachment = proofOf(challenge, ofNode, ofModel, nonce.toString("hex"));
  log.info("verification.answered", { verdict, durationMs: clock.now() - startedAt });
  const text = renderVerdict({
    verdict,
    node: ofNode,
    model: ofModel,
    nonce: nonce.toString("hex"),
    hasWords: challenge.words !== "",
    file: attachment?.name,
    lookedAt: startedAt,
    now: clock.now(),
  });
  return { text, attachment };
}

/** Undefined where there is no evidence of the node to keep. */
function proofOf(challenge: Challenge, node: NodeLook, model: ModelLook, nonce: string): ReplyAttachment | undefined {
  if (node.kind === "outside") return undefined;
  const text = node.prove?.({ ...challenge, model: model.shown });
  if (text === undefined || Buffer.byteLength(text) > maxProofBytes) return undefined;
  const name = `postern-proof-${nonce.slice(0, 8)}.json`;
  return { name, contentType: "application/json", content: new Sensitive(new Uint8Array(Buffer.from(text))) };
}

function tooOften(waitMs: number): string {
  const minutes = Math.ceil(waitMs / minuteMs);
  return `You may verify ${verifiesPerPerson} times in ${verifyWindowMs / minuteMs} minutes. Try again in ${minutes} min.`;
}

function failureText(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "**COULD NOT CHECK.** It took too long. Try again in a minute.";
  const why = error instanceof AppError ? error.detail : "Something went wrong here; the operator's log says what.";
  return `**COULD NOT CHECK.** ${why} Try again in a minute.`;
}
