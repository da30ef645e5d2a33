import type { AnswerObserver } from "../providers/provider.ts";
import type { Track } from "../tracking/track.ts";
import type { AttemptEnd } from "./attempts/attempt.ts";

export interface ProveOptions {
  readonly observer: AnswerObserver;
  readonly holdsAnswers: boolean;
  readonly track: Pick<Track, "proved">;
}

/**
 * Has a complete answer proved. One that is held until then is no answer when it cannot be; of all others the proof comes
 * after them, and only the trace tells.
 */
export async function proveAnswer(
  end: AttemptEnd,
  { observer, holdsAnswers, track }: ProveOptions,
): Promise<AttemptEnd> {
  const { outcome } = end;
  const isAnswer = outcome.kind === "complete" || (outcome.kind === "delivered" && outcome.error !== true);
  if (!isAnswer) return end;
  const proving = observer.prove().then((proof) => {
    track.proved(proof);
    return proof.answer;
  });
  if (!holdsAnswers) return end;
  const answer = await proving;
  return answer.outcome === "pass" ? end : { ...end, outcome: { kind: "unfit", reason: answer.detail } };
}
