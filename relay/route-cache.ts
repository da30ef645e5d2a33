/** The routes in a file, so that a relay that is restarted while the edge is away still serves what it knew. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { errorText } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import { routeSchema } from "../shared/registry/messages.ts";

const saveEveryMs = 5_000;
const cacheSchema = z.object({ version: z.literal(1), cursor: z.string(), routes: z.array(routeSchema) });

export type CachedRoutes = Omit<z.infer<typeof cacheSchema>, "version">;

export class RouteCache {
  readonly #options: { directory: string; read: () => CachedRoutes | undefined; log: Log };
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: { directory: string; read: () => CachedRoutes | undefined; log: Log }) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.#path = join(options.directory, "routes.json");
  }

  /** What was saved; undefined when there is nothing of use, which is never an error. */
  async load(): Promise<CachedRoutes | undefined> {
    try {
      return cacheSchema.parse(JSON.parse(await readFile(this.#path, "utf8")));
    } catch (error) {
      this.#options.log.debug("routes.not-loaded", { error: errorText(error) });
      return undefined;
    }
  }

  /** The routes have changed: they are saved within some seconds, whatever else changes meanwhile. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#saving = this.#saving.then(() => this.#save());
    }, saveEveryMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving;
    await this.#save();
  }

  async #save(): Promise<void> {
    const { read, log } = this.#options;
    const routes = read();
    if (!routes) return;
    try {
      const temporary = `${this.#path}.tmp`;
      await writeFile(temporary, JSON.stringify({ version: 1, ...routes }), { mode: 0o600 });
      await rename(temporary, this.#path);
    } catch (error) {
      log.warn("routes.not-saved", { error: errorText(error) });
    }
  }
}
