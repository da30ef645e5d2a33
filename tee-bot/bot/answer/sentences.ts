/** What the bot says by itself, beside commands: each says what happened and what to do. */

export const sentences = {
  viewOnce: "I do not open messages that are to be viewed once. Send it as an ordinary message if I should see it.",
  textTooLong: (kibibytes: number) => `This message is longer than ${kibibytes} KiB. Send it in parts, please.`,
  noVision: (model: string) =>
    `The model that answers here (${model}) cannot see pictures. Choose another with !models, or describe it in words.`,
  pictureTooLarge: (megabytes: number) => `This picture is larger than ${megabytes} MB. Send a smaller one.`,
  picturesTooLarge: (megabytes: number) =>
    `These pictures are larger than ${megabytes} MB together. Send fewer, or smaller ones.`,
  tooManyPictures: (most: number) => `I can look at ${most} pictures at once. Send fewer.`,
  fileGone: "I could not fetch what you sent. Send it again, please.",
  noVoice: "I cannot listen to voice messages here. Write it, please.",
  voiceTooLarge: (megabytes: number) => `This recording is larger than ${megabytes} MB. Send a shorter one.`,
  voiceFailed: "I could not make text of your voice message just now. Try again in a minute, or write it.",
  voiceEmpty: "I heard no words in your voice message. Try again, or write it.",
  fileKind: "I can read text and pictures (JPEG, PNG, WebP, GIF), not this kind of file. Paste its text, please.",
  emptyAnswer: "The model gave an empty answer. Send !retry to ask again.",
  cutAnswer: "_The answer was cut at its limit. Ask me to go on._",
  oldHistory:
    "**Note:** what I had stored of this chat was older than what I last saw, or not mine, so I have set it aside and begun anew.",
  storeAway: "I cannot reach my memory at the moment. Your message is kept, and I will answer when it is back.",
  nothingToRetry: "There is no question of yours that I could ask again.",
  retryNeedsFile: "What you had sent with your last question was not kept. Send it again, please.",
} as const;

/** With the id by which the operator finds the failure in the log. */
export function withId(sentence: string, id: string): string {
  return `${sentence} (${id})`;
}
