import { describe, expect, it } from "vitest";
import { decideAnswer } from "../../../../tee-bot/attestation/near/decide-answer.ts";
import type { AnswerSignature } from "../../../../tee-bot/attestation/near/fetch-signature.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { NearMachine } from "../../../support/near/near-machine.ts";

const pki = await createSimulatorPki({ now: Date.now() });
const machine = new NearMachine({ pki, name: "machine" });
const stranger = new NearMachine({ pki, name: "stranger" });
const answer = { model: "a/model:with-colon", requestSha256: "aa".repeat(32), responseSha256: "bb".repeat(32) };
const right = `${answer.model}:${answer.requestSha256}:${answer.responseSha256}`;

function signature(text = right, by = machine, kind: string | undefined = "provider_tee"): AnswerSignature {
  return {
    text,
    signature: by.sign(text).slice(2),
    signing_address: by.key.address,
    signing_algo: "ecdsa",
    ...(kind !== undefined && { signature_kind: kind }),
  };
}
const decide = (given: Parameters<typeof decideAnswer>[0]) => decideAnswer(given, answer, [machine.key]);

describe("the signature of an answer", () => {
  it("passes when an attested key has signed the model and both hashes", () => {
    expect(decide(signature())).toMatchObject({ id: "answer-signature", outcome: "pass" });
    expect(decide({ ...signature(), signature_kind: undefined })).toMatchObject({ outcome: "pass" });
  });

  it.each([
    ["the gateway has signed", signature(right, machine, "gateway"), /gateway has signed/],
    ["it is of a kind that nobody knows", signature(right, machine, "other"), /kind that is not known/],
    ["an unknown key has signed", signature(right, stranger), /no evidence of the model names/],
    [
      "it only says that an attested key has signed",
      { ...signature(right, stranger), signing_address: machine.key.address },
      /is not/,
    ],
    ["it is another algorithm's", { ...signature(), signing_algo: "ed25519" as const }, /no evidence/],
    ["it is the gateway's text", signature(`${answer.requestSha256}:${answer.responseSha256}`), /not a model and two/],
    ["it names another model", signature(right.replace("a/model", "b/model")), /names another model/],
    ["it is of another request", signature(right.replace("aa", "ab")), /another request/],
    ["it is of another answer", signature(right.replace("bb", "bc")), /is another answer/],
  ])("fails when %s", (_, given, sentence) => {
    const check = decide(given);
    expect(check.outcome).toBe("fail");
    expect(check.detail).toMatch(sentence);
  });

  it("is neither good nor bad when there is none", () => {
    expect(decide({ absent: "There is none." })).toEqual({
      id: "answer-signature",
      outcome: "skip",
      detail: "There is none.",
    });
  });
});
