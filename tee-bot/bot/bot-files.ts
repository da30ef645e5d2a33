import { join } from "node:path";

/** Where the bot keeps what must outlive it, in the node's state directory. */
export interface BotFiles {
  readonly folder: string;
  readonly mail: string;
  /** What the REST server shows when it posts a message. */
  readonly hookSecret: string;
  /** Outside a TEE, what all of it is sealed with. */
  readonly storageKey: string;
}

export function botFilesIn(directory: string): BotFiles {
  const folder = join(directory, "signal");
  return {
    folder,
    mail: join(folder, "mail.sqlite"),
    hookSecret: join(folder, "hook.secret"),
    storageKey: join(directory, "storage.key"),
  };
}
