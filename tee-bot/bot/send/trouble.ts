/** What can be wrong with sending, in words for whoever runs the bot. */

export const troubles = {
  unreachable: "The Signal REST server does not answer. Replies wait; start it, or mend signal.api.",
  misplaced: "What answers at signal.api is no signal-cli-rest-api. Replies wait; mend the address.",
  "account-absent": "The Signal REST server does not have the bot's account. Replies wait; link or register it.",
  "rate-limited": "Signal limits what this account may send. Replies wait, and are tried again later.",
  challenge:
    "Signal wants a person to solve a captcha before this account may send. Replies wait; `postern signal status` shows the token, `postern signal challenge` takes the captcha.",
  untrusted:
    "Somebody has a new safety number, and signal-cli does not trust it. Replies to them wait; `postern signal trust` shows whose it is and trusts it.",
  network: "signal-cli cannot reach Signal. Replies wait.",
  refused: "A reply was refused by the Signal REST server and given up. `postern signal status` lists it.",
  undecidable:
    "Nobody knows whether a reply went out, so it is not sent again. `postern signal status` lists it; the person may have to ask again.",
  store: "The mailbox cannot be written. Look at the disk of the state directory.",
} as const;

export type TroubleKind = keyof typeof troubles;

/** Those that are over as soon as a message goes out; of the others each was an event of its own. */
export const passingTroubles: readonly TroubleKind[] = [
  "unreachable",
  "misplaced",
  "account-absent",
  "rate-limited",
  "challenge",
  "network",
  "store",
];
