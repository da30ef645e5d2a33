/**
 * What acme-client needs of axios (64 KB when minified, most of it other ways to send a request than ours): defaults,
 * interceptors, JSON in and out. The request itself is made by the adapter that `defaults.adapter` has, which is always
 * our own on workerd. Behaves as axios 1.x does where acme-client can tell.
 */
type Headers = Record<string, unknown>;

export interface Config {
  url?: string;
  method?: string;
  headers?: Headers;
  data?: unknown;
  adapter?: unknown;
  [setting: string]: unknown;
}

export interface Answer {
  data: unknown;
  status: number;
  statusText: string;
  headers: Headers;
  config: Config;
  request: unknown;
}

type Adapter = (config: Config) => Promise<Answer>;
type Failed = (error: unknown) => Promise<Answer>;

export interface Instance {
  (config: Config): Promise<Answer>;
  request: (config: Config) => Promise<Answer>;
  defaults: Config & { headers: { common: Headers } };
  interceptors: {
    request: { use: (change: (config: Config) => Config) => void };
    response: { use: (pass: null, failed: Failed) => void };
  };
}

export class AxiosError extends Error {
  static readonly ERR_BAD_REQUEST = "ERR_BAD_REQUEST";
  static readonly ERR_BAD_RESPONSE = "ERR_BAD_RESPONSE";
  override readonly name = "AxiosError";
  readonly code: string;
  readonly config: Config;
  readonly request: unknown;
  readonly response: Answer;

  constructor(message: string, code: string, config: Config, request: unknown, response: Answer) {
    super(message);
    this.code = code;
    this.config = config;
    this.request = request;
    this.response = response;
  }
}

export function create(): Instance {
  const changes: ((config: Config) => Config)[] = [];
  const failures: Failed[] = [];
  const defaults: Instance["defaults"] = { headers: { common: { Accept: "application/json, text/plain, */*" } } };
  const send = (given: Config): Promise<Answer> => {
    const merged = { ...defaults, ...given, headers: { ...defaults.headers.common, ...given.headers } };
    const config = changes.reduceRight<Config>((changed, change) => change(changed), merged);
    return failures.reduce((answer, failed) => answer.catch(failed), dispatch(config));
  };
  return Object.assign(send, {
    request: send,
    defaults,
    interceptors: {
      request: { use: (change: (config: Config) => Config) => void changes.push(change) },
      response: { use: (_pass: null, failed: Failed) => void failures.push(failed) },
    },
  });
}

async function dispatch(config: Config): Promise<Answer> {
  if (typeof config.adapter !== "function") throw new Error("Here axios sends by an adapter that is a function.");
  if (typeof config.data === "object" && config.data !== null) config.data = JSON.stringify(config.data);
  const answer = await (config.adapter as Adapter)(config);
  answer.data = readJson(answer.data);
  return answer;
}

/** As axios does unless told otherwise: whatever the content type, JSON where it is JSON. */
function readJson(data: unknown): unknown {
  if (typeof data !== "string" || data === "") return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
