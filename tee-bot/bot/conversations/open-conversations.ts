/** Joins what a sealed conversation store is made of, by what is configured. */
import { openSealedRecords, type SealedPlace } from "../../store/open-sealed-records.ts";
import type { Refusal } from "../../store/sealed-records.ts";
import type { ConversationStore } from "./conversation-store.ts";
import { historyForm, historySchemaName } from "./history-record.ts";
import { usualHistoryLimits, type HistoryLimits } from "./history.ts";
import { SealedConversations } from "./sealed-conversations.ts";

export interface OpenConversationsOptions extends SealedPlace {
  limits?: HistoryLimits;
  /** So that the person can be told too; the conversation is unknown where all are gone through. */
  onRefused?: (refusal: Refusal, conversation: string | undefined) => void;
}

const names = {
  schema: historySchemaName,
  valuesFile: "conversations.sqlite",
  epochsFile: "conversation-epochs.sqlite",
  redisPrefix: "postern:conversation:",
};
/** How much of a tag stands in a log line: its beginning, which all have, and enough to tell conversations apart. */
const loggedTagLength = 17;

/** Throws {@link AppError} when a file cannot be opened or the address of Redis is none. */
export function openConversations(options: OpenConversationsOptions): ConversationStore {
  const { limits = usualHistoryLimits, clock, log } = options;
  const records = openSealedRecords({
    ...options,
    names,
    form: historyForm(limits),
    onRefused: (refusal, tag, conversation) => {
      log.error("conversation.refused", { conversation: tag.slice(0, loggedTagLength), reason: refusal });
      options.onRefused?.(refusal, conversation);
    },
  });
  return new SealedConversations({ records, limits, clock });
}
