/** What the deployment of the bot has to be told, as `.env` beside its compose file has it. */

export interface EnvSetting {
  readonly name: string;
  readonly flag: string;
  readonly question: string;
  readonly isRequired: boolean;
  /** What is wrong with a value; undefined: nothing. */
  readonly mistakeIn: (value: string) => string | undefined;
  readonly remedy: string;
}

const digest = /^\S+@sha256:[0-9a-f]{64}$/;
const byDigest = (value: string): string | undefined =>
  digest.test(value) ? undefined : "is not named by digest (name@sha256:…), so it could be another one tomorrow";
const digestRemedy = (image: string): string =>
  `docker buildx imagetools inspect ${image} prints its digest; read what it is before you trust it.`;

export const envSettings: readonly EnvSetting[] = [
  {
    name: "POSTERN_EDGE",
    flag: "edge",
    question: "Address of the edge that gives the node its name",
    isRequired: true,
    mistakeIn: (value) => (/^https?:$/.test(URL.parse(value)?.protocol ?? "") ? undefined : "is no http or https URL"),
    remedy: "npm run setup:edge prints the address of an edge of your own.",
  },
  {
    name: "POSTERN_ALIAS",
    flag: "alias",
    question: "Friendly name of the node (empty: none)",
    isRequired: false,
    mistakeIn: (value) => (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value) ? undefined : "is no name of a host"),
    remedy: "Use lower-case letters, digits and hyphens.",
  },
  {
    name: "SIGNAL_ACCOUNT",
    flag: "account",
    question: "The bot's number, such as +15550000001 (empty: the only account there will be)",
    isRequired: false,
    mistakeIn: (value) => (/^\+[1-9]\d{4,15}$/.test(value) ? undefined : "is no number with its country"),
    remedy: "Write it as +15550000001: a number of the bot's own.",
  },
  {
    name: "POSTERN_IMAGE",
    flag: "node-image",
    question: "Image of the node, by digest",
    isRequired: true,
    mistakeIn: byDigest,
    remedy: "Build and push it: docker build -f deploy/node.Dockerfile; the push prints its digest.",
  },
  {
    name: "SIGNAL_API_IMAGE",
    flag: "signal-image",
    question: "Image of signal-cli-rest-api, by digest",
    isRequired: true,
    mistakeIn: byDigest,
    remedy: digestRemedy("bbernhard/signal-cli-rest-api:0.100"),
  },
  {
    name: "REDIS_IMAGE",
    flag: "redis-image",
    question: "Image of Redis, by digest",
    isRequired: true,
    mistakeIn: byDigest,
    remedy: digestRemedy("redis:8"),
  },
];

/** Between the REST server and the receiver, in both directions of nobody else. */
export const secretName = "SIGNAL_HOOK_SECRET";

/** All that is missing or wrong, one line each with its remedy. */
export function mistakesIn(given: Readonly<Record<string, string>>): string[] {
  return envSettings.flatMap(({ name, flag, isRequired, mistakeIn, remedy }) => {
    const value = given[name] ?? "";
    if (value === "") return isRequired ? [`${name} (--${flag}) is missing. ${remedy}`] : [];
    const mistake = mistakeIn(value);
    return mistake === undefined ? [] : [`${name} (--${flag}) ${mistake}. ${remedy}`];
  });
}
