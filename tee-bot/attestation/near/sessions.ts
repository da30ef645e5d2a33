import type { AttestedSession } from "./attested-session.ts";

/** What answers cite: the sessions of upstreams, by their id. */
export interface Sessions {
  /** Undefined: there was none, or it is forgotten. */
  get(id: string): AttestedSession | undefined;
  /** The newest of an upstream's model; undefined: it was never verified. */
  newest(upstream: string, model: string): AttestedSession | undefined;
  /** The newest of each upstream's models. */
  current(): readonly CurrentSession[];
}

export interface CurrentSession {
  readonly upstream: string;
  readonly model: string;
  readonly session: AttestedSession;
}

/** Of 0.3 MB each, most of it evidence. */
const maxSessions = 64;

/** Sessions in memory: the newest of each model, and as many before as there is room for. */
export class SessionStore implements Sessions {
  readonly #byId = new Map<string, AttestedSession>();
  readonly #newest = new Map<string, Omit<CurrentSession, "session"> & { readonly id: string }>();

  add(upstream: string, model: string, session: AttestedSession): void {
    this.#byId.delete(session.id);
    this.#byId.set(session.id, session);
    this.#newest.set(nameOf(upstream, model), { upstream, model, id: session.id });
    for (const id of this.#byId.keys()) {
      if (this.#byId.size <= maxSessions) break;
      this.#byId.delete(id);
    }
  }

  get(id: string): AttestedSession | undefined {
    return this.#byId.get(id);
  }

  newest(upstream: string, model: string): AttestedSession | undefined {
    const newest = this.#newest.get(nameOf(upstream, model));
    return newest && this.#byId.get(newest.id);
  }

  current(): CurrentSession[] {
    return [...this.#newest.values()].flatMap(({ upstream, model, id }) => {
      const session = this.#byId.get(id);
      return session ? [{ upstream, model, session }] : [];
    });
  }
}

const nameOf = (upstream: string, model: string): string => `${upstream}\n${model}`;
