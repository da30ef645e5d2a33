/** Follows `postern.yaml` while the node runs: the gateway's settings at once, those of the node at its next start. */
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeStatus } from "../control/status.ts";
import type { NodeConfig, ReadConfig } from "../config.ts";
import type { GatewaySettings } from "../gateway/settings.ts";
import { decideChanges } from "./changes.ts";
import { watchFile } from "./watch-file.ts";

export interface LiveSettingsOptions {
  /** What the node was started with. */
  readonly config: NodeConfig;
  /** Undefined: nobody looks at the file. */
  readonly reread?: () => ReadConfig;
  /** Must not fail: the settings are good. */
  readonly follow: (settings: GatewaySettings) => void;
  /** Told when {@link LiveSettings.troubles} may have changed. */
  readonly onChange: () => void;
  readonly log: Log;
}

export class LiveSettings implements Disposable {
  readonly #options: LiveSettingsOptions;
  readonly #watch: Disposable | undefined;
  #now: NodeConfig;
  #refused: readonly string[] = [];

  constructor(options: LiveSettingsOptions) {
    this.#options = options;
    this.#now = options.config;
    const { config, reread, log } = options;
    if (!reread) return;
    this.#watch = watchFile({ path: config.settings.path, onChange: () => this.#reread(reread), log });
  }

  /** For `postern status`: what is wrong with the file as it stands, while older settings are in force. */
  get troubles(): NodeStatus["troubles"] {
    const [first, ...others] = this.#refused;
    if (first === undefined) return [];
    const more = others.length > 0 ? ` (and ${others.length} more)` : "";
    return [
      {
        detail: `The settings before are in force: ${first}${more}`,
        remedy: "postern config check lists every mistake.",
      },
    ];
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  #reread(reread: () => ReadConfig): void {
    const read = this.#read(reread);
    if (read.ok) this.#follow(read.config);
    else {
      this.#refused = read.mistakes;
      this.#options.log.warn("config.refused", { file: this.#now.settings.path, mistakes: read.mistakes });
    }
    this.#options.onChange();
  }

  #read(reread: () => ReadConfig): ReadConfig {
    try {
      const read = reread();
      if (!read.ok || read.config.settings.present || !this.#now.settings.present) return read;
      // Defaults would open what the file had closed.
      return { ok: false, mistakes: [`${this.#now.settings.path} is gone · put it back, or start the node anew`] };
    } catch (error) {
      return { ok: false, mistakes: [error instanceof AppError ? error.detail : String(error)] };
    }
  }

  #follow(next: NodeConfig): void {
    const { log, follow } = this.#options;
    const file = next.settings.path;
    const { followed, deferred } = decideChanges(this.#now, next);
    if (followed.length > 0) follow(next.gateway);
    if (followed.length > 0 || this.#refused.length > 0) log.info("config.followed", { file, changed: followed });
    if (deferred.length > 0)
      log.warn("config.deferred", { file, changed: deferred, remedy: "start the node anew for these" });
    this.#refused = [];
    this.#now = next;
  }
}
