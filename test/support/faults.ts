/** What goes wrong with HTTP requests on purpose: faults by pattern and count, requests held back, and a list of all. */

/**
 * Names requests by the end of their path, after a method if only that one is meant; `*` is one segment:
 * `POST /dns_records/batch`, `/dns_records/*`. Or by the kind of resource, where a server tells kinds apart:
 * `newOrder`, `POST finalize`.
 */
export type RequestPattern = string;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer | string;
}

export type Fault =
  /** Answers so, without doing what was asked; with `applied`, after doing it. */
  | { readonly kind: "answer"; readonly answer: Answer; readonly applied?: boolean }
  /** Resets the connection. */
  | { readonly kind: "drop"; readonly when: "before" | "after" }
  /** Never answers. */
  | { readonly kind: "silence"; readonly when: "before" | "after" }
  | { readonly kind: "delay"; readonly ms: number }
  /** Sends half of the body under the length of the whole, then closes. */
  | { readonly kind: "truncate" }
  | { readonly kind: "rewrite"; readonly rewrite: (answer: Answer) => Answer };

export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly kind: string | undefined;
  readonly at: number;
  /** Of the answer, once there is one. */
  status?: number;
}

export interface Hold {
  /** The first request that matches has come; with "after", it is also done and only its answer is kept back. */
  readonly arrived: Promise<SeenRequest>;
  /** Lets it go on. Later requests are not held. */
  release(): void;
}

export interface Injection {
  /** How many requests it has hit. */
  readonly hits: number;
  remove(): void;
}

interface Rule {
  readonly matches: (request: SeenRequest) => boolean;
  readonly fault: Fault;
  skip: number;
  times: number;
  hits: number;
}

interface Waiting {
  readonly matches: (request: SeenRequest) => boolean;
  readonly when: "before" | "after";
  readonly arrive: (request: SeenRequest) => void;
  readonly released: Promise<void>;
  readonly release: () => void;
}

export class Faults {
  /** Every request, in the order they came. */
  readonly seen: SeenRequest[] = [];
  #rules: Rule[] = [];
  #holds: Waiting[] = [];

  /** The next `times` requests that match, after the first `skip` of them, meet this fault. */
  inject(pattern: RequestPattern, fault: Fault, { times = 1, skip = 0 } = {}): Injection {
    const rule: Rule = { matches: matcher(pattern), fault, skip, times, hits: 0 };
    this.#rules.push(rule);
    return {
      get hits() {
        return rule.hits;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== rule);
      },
    };
  }

  /** Holds back the first request that matches: before anything is done, or with its answer ready. */
  hold(pattern: RequestPattern, when: "before" | "after"): Hold {
    const arrival = Promise.withResolvers<SeenRequest>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const waiting = { matches: matcher(pattern), when, arrive: arrival.resolve, released, release };
    this.#holds.push(waiting);
    return {
      arrived: arrival.promise,
      release: () => {
        this.#holds = this.#holds.filter((other) => other !== waiting);
        release();
      },
    };
  }

  /** How many requests have come that match. */
  count(pattern: RequestPattern): number {
    return this.seen.filter(matcher(pattern)).length;
  }

  /** Nothing goes wrong any more; what was held goes on. */
  clear(): void {
    this.#rules = [];
    for (const hold of this.#holds.splice(0)) hold.release();
  }

  /** For the server: resolves when the request may go on. */
  async pass(request: SeenRequest, when: "before" | "after"): Promise<void> {
    const hold = this.#holds.find((other) => other.when === when && other.matches(request));
    if (!hold) return;
    this.#holds = this.#holds.filter((other) => other !== hold);
    hold.arrive(request);
    await hold.released;
  }

  /** For the server: the fault this request meets. */
  take(request: SeenRequest): Fault | undefined {
    for (const rule of this.#rules) {
      if (rule.times <= 0 || !rule.matches(request)) continue;
      if (rule.skip-- > 0) continue;
      rule.times--;
      rule.hits++;
      return rule.fault;
    }
    return undefined;
  }
}

/** A page of HTML where JSON is expected, as from a proxy on the way. */
export const htmlPage = (status: number): Fault => ({
  kind: "answer",
  answer: {
    status,
    headers: { "content-type": "text/html; charset=UTF-8" },
    body: `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>\n`,
  },
});

/** The right body under another content type. */
export const contentType = (type: string): Fault => ({
  kind: "rewrite",
  rewrite: (answer) => ({ ...answer, headers: { ...answer.headers, "content-type": type } }),
});

/** A body that says nothing, under the right headers. */
export const garbage = (body: string | Buffer): Fault => ({
  kind: "rewrite",
  rewrite: (answer) => ({ ...answer, body }),
});

function matcher(pattern: RequestPattern): (request: SeenRequest) => boolean {
  const space = pattern.indexOf(" ");
  const method = space < 0 ? undefined : pattern.slice(0, space);
  const target = pattern.slice(space + 1);
  const path = new RegExp(
    `${target
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join("[^/]+")}$`,
  );
  return (request) =>
    (method === undefined || request.method === method) &&
    (target.startsWith("/") ? path.test(request.path) : request.kind === target);
}
