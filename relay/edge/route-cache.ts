/**
 * The routes in a file, so that a relay that is restarted while the edge is away still serves what it knew. A line says what
 * follows, each further line has some of the routes: read and written as a whole, 100,000 of them took 100 MB more.
 */
import { createReadStream, mkdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { routeSchema, type Route } from "../../shared/registry/messages.ts";

const saveEveryMs = 5_000;
const routesPerLine = 1_000;
const headSchema = z.object({ version: z.literal(2), cursor: z.string(), routes: z.int() });
const lineSchema = z.array(routeSchema);

export interface CachedRoutes {
  readonly cursor: string;
  readonly routes: Route[];
}

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
      return await this.#read();
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
      await writeFile(temporary, linesOf(routes), { mode: 0o600 });
      await rename(temporary, this.#path);
    } catch (error) {
      log.warn("routes.not-saved", { error: errorText(error) });
    }
  }

  async #read(): Promise<CachedRoutes> {
    const routes: Route[] = [];
    let head: z.infer<typeof headSchema> | undefined;
    for await (const line of createInterface({ input: createReadStream(this.#path) })) {
      const value: unknown = JSON.parse(line);
      if (head) routes.push(...lineSchema.parse(value));
      else head = headSchema.parse(value);
    }
    if (routes.length !== head?.routes) throw new Error("it does not have all its routes");
    return { cursor: head.cursor, routes };
  }
}

function* linesOf({ cursor, routes }: CachedRoutes): Generator<string> {
  yield `${JSON.stringify({ version: 2, cursor, routes: routes.length })}\n`;
  for (let at = 0; at < routes.length; at += routesPerLine)
    yield `${JSON.stringify(routes.slice(at, at + routesPerLine))}\n`;
}
