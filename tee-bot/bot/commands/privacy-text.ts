/** What `!privacy` says: facts, in sentences that hold where the bot runs. Whatever is not protected is said to be so. */
import type { Tee } from "../../attestation/attestation.ts";
import type { PrivacyRule } from "../../gateway/routing/route.ts";
import type { StorageMode } from "../../store/storage-key.ts";
import type { OfferedModel } from "../model/model.ts";
import { describeTrust } from "./describe-model.ts";
import { codeSpan, countOf } from "./words.ts";

export interface PrivacyFacts {
  readonly tee: Tee;
  readonly history: {
    readonly mode: StorageMode;
    readonly messages: number;
    readonly hours: number;
  };
  /** Where sealed values are kept. */
  readonly place: "file" | "redis";
  readonly mailHours: number;
  readonly rule: PrivacyRule;
  readonly transcribes: boolean;
  readonly groupAnswer: "addressed" | "all";
}

/** Of the chat that asks. */
export interface PrivacyOfChat {
  readonly isGroup: boolean;
  /** Undefined: it is not known now which one answers. */
  readonly model: { readonly id: string; readonly offered: OfferedModel | undefined } | undefined;
}

export function describePrivacy(facts: PrivacyFacts, chat: PrivacyOfChat): string {
  const parts: readonly (readonly [title: string, text: string])[] = [
    ["Where I run.", whereItRuns[facts.tee]],
    ["What I remember.", memory(facts)],
    ["Until I have answered.", mail(facts)],
    ["Of you yourself.", person(facts)],
    ["Who answers.", whoAnswers(facts, chat)],
    ...(chat.isGroup ? [["In groups.", groups(facts)] as const] : []),
    ["What still shows.", whatShows(facts)],
    ["To remove it.", "`!clear` forgets this chat, `!forget me` all that I keep of you."],
  ];
  return parts.map(([title, text]) => `**${title}** ${text}`).join("\n\n");
}

const whereItRuns: Readonly<Record<Tee, string>> = {
  dstack:
    "In a confidential machine (a TEE), whose memory its operator cannot read. Do not take my word for it: `!verify` proves it.",
  simulated:
    "In the simulation of a confidential machine, for trying things out. It protects nothing: the operator can read everything here.",
  none: "Not in a confidential machine (a TEE). Whoever runs this computer can read what you write, if they want to.",
};

const keyHolder: Readonly<Record<Tee, string>> = {
  dstack: "a key that only the TEE can make",
  simulated: "a key that the operator can make too, since the TEE is simulated",
  none: "a key that lies on the same computer, so its operator can open it",
};

const places: Readonly<Record<PrivacyFacts["place"], string>> = { file: "in a file", redis: "in a Redis store" };

function memory({ tee, history, place }: PrivacyFacts): string {
  const { mode, messages, hours } = history;
  const key =
    mode === "ephemeral"
      ? "a key that is in memory only: when I stop, nobody can open it any more"
      : `${keyHolder[tee]}; it outlives a restart`;
  return `The last ${countOf(messages, "message")} of a chat, for ${inTime(hours)} at most, encrypted ${places[place]} with ${key}. Messages with a timer go when it is over; what you edit or delete I change or delete too; what is to be viewed once I never keep.`;
}

function mail({ tee, mailHours }: PrivacyFacts): string {
  return `Your message waits in an encrypted file, for ${inTime(mailHours)} at most, and is wiped when it is answered. This file outlives a restart, so that no message is lost; it is encrypted with ${keyHolder[tee]}.`;
}

function person({ tee, place }: PrivacyFacts): string {
  return `Apart from that, I keep whether you were greeted or paired, the model that you chose, and how many messages you sent today: ${places[place]}, under a hash of your Signal id, encrypted with ${keyHolder[tee]}. After a year of silence that goes too. Your name and number are not kept beyond an answer.`;
}

function whoAnswers({ rule, transcribes }: PrivacyFacts, { model }: PrivacyOfChat): string {
  const now =
    model === undefined
      ? "Which model answers here is not known just now."
      : `${codeSpan(model.id)}${model.offered ? `, ${describeTrust(model.offered)}` : ", which is not there now"}.`;
  const voice = transcribes ? " Voice messages are made text by a program that the operator has chosen." : "";
  return `${now} It gets what I remember of the chat, no name and no number.${rules[rule]}${voice}`;
}

const rules: Readonly<Record<PrivacyRule, string>> = {
  any: "",
  "local-or-attested": " Only models on my own machine, or in a TEE by their provider's word, may answer here.",
  "local-or-verified": " Only models on my own machine, or in a TEE that I have verified, may answer here.",
  local: " Only models on my own machine may answer here.",
};

function groups({ groupAnswer }: PrivacyFacts): string {
  const read =
    groupAnswer === "all"
      ? "I answer to everything that is said here, and remember it as said above."
      : "What is not addressed to me I drop without keeping it.";
  return `${read} Everybody here reads my answers. The model is told of members by number, not by name.`;
}

function whatShows({ tee, place }: PrivacyFacts): string {
  const store = place === "redis" ? " Whoever runs the Redis store sees sizes and times." : "";
  const backup =
    tee === "none" ? "" : " Encrypted data that I delete may live on in copies of the disk, without the key.";
  return `Signal's encryption ends in a program beside me (signal-cli), which sees what I see. Signal, the network and the operator can see when and how much is written. The phones of all who take part keep their own copies.${store}${backup}`;
}

function inTime(hours: number): string {
  if (hours < 1) return countOf(Math.max(1, Math.round(hours * 60)), "minute");
  const whole = Math.round(hours);
  return whole % 24 === 0 && whole > 24 ? countOf(whole / 24, "day") : countOf(whole, "hour");
}
