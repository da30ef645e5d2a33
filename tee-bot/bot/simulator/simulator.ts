/**
 * A stand-in for signal-cli-rest-api, Signal's servers and people's telephones: one HTTP server on 127.0.0.1, with the REST API
 * under `/v1` and `/v2` (rest/), what people do under `/messages` (people/), and a page for them at `/` (page/). It lets anyone talk to the bot without a
 * telephone, and tests do so with all faults that the real server was seen to have. Nothing in it is encrypted or private.
 */
import { getRequestListener } from "@hono/node-server";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import { silentLog, type Log } from "../../../shared/log.ts";
import { listenLocal } from "../../server/listen-local.ts";
import type { Mode } from "./container/container.ts";
import { Host } from "./container/host.ts";
import { createWebhook } from "./container/webhook.ts";
import { Faults } from "./faults.ts";
import { createSimulatorServer } from "./http-server.ts";
import { createPeopleApi } from "./people/people-api.ts";
import { Phone } from "./people/phone.ts";
import { viewConversation, type ConversationView } from "./people/view.ts";
import { Registration } from "./rest/registration.ts";
import { createRestApi } from "./rest/rest-api.ts";
import type { AnswerForm } from "./rest/rest-call.ts";
import { restGroupId } from "./rest/recipients.ts";
import { defaultAccountNumber, type Account } from "./signal/account.ts";
import { defaultPerson, type Person } from "./signal/directory.ts";
import { emitMail } from "./signal/emit.ts";
import { injectLine } from "./signal/inject.ts";
import type { LostMail, Mail } from "./signal/mailbox.ts";
import { conversationOfGroup, type Refused } from "./signal/phones.ts";
import type { TypingSpan } from "./signal/typing.ts";
import { World } from "./signal/world.ts";
import { StateFile } from "./state-file.ts";

export interface SignalSimulatorOptions {
  /** 0: any. */
  readonly port?: number | undefined;
  /** `RECEIVE_WEBHOOK_URL`, with user and password for Basic authentication; without it only WebSockets receive. */
  readonly hook?: string | undefined;
  /** The bot's number. */
  readonly account?: string | undefined;
  /** Whether the number is registered from the start; otherwise it is to be registered or linked. */
  readonly registered?: boolean | undefined;
  readonly mode?: Mode | undefined;
  /** Which release of the REST API it is like. */
  readonly answerForm?: AnswerForm | undefined;
  readonly faults?: Faults | undefined;
  /** A file that lets all of it survive a restart; without it, memory. */
  readonly statePath?: string | undefined;
  /** Whether telephones tell what they got, as they do. */
  readonly deliveryReceipts?: boolean | undefined;
  /** How long after a crash it is up again, as a container is that is restarted; without it, when it is told to. */
  readonly restartAfterMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
}

export interface SignalSimulator extends AsyncDisposable {
  /** Of the REST API, of the people's, and of the page. */
  readonly url: string;
  readonly account: Account;
  /** To be changed while it runs. */
  readonly faults: Faults;
  /** A person's telephone, in the direct conversation with the bot or in a group. */
  phone(person?: string, group?: string): Phone;
  person(name: string): Person;
  /** Ids of a group: as envelopes have it, and as the REST API wants it. */
  groupIds(name: string): { readonly internal: string; readonly rest: string };
  /** What a person sees. */
  conversation(person?: string, group?: string): ConversationView;
  /** When the bot was shown as typing. */
  typingSpans(person?: string, group?: string): readonly TypingSpan[];
  /** The person has a new telephone, whose key is not trusted. */
  reinstall(person: string): void;
  /** A line that signal-cli is to write, as it is, with the files that come with it, by their ids. */
  inject(line: string | object, files?: Readonly<Record<string, Buffer>>): void;
  /** Messages that wait at Signal's servers. */
  readonly waiting: number;
  /** Messages that count as delivered and that nobody took. */
  readonly lost: readonly LostMail[];
  /** What the bot has sent and no telephone shows. */
  readonly refused: readonly Refused[];
  /** Attachments that signal-cli still has on its disk. */
  readonly files: readonly string[];
  readonly isUp: boolean;
  /** The REST server dies with signal-cli: connections are reset, and what they had in hand is lost. */
  crash(): void;
  restart(): void;
}

export async function startSignalSimulator(options: SignalSimulatorOptions = {}): Promise<SignalSimulator> {
  const { clock = systemClock, log = silentLog, mode = "json-rpc", faults = new Faults() } = options;
  const { answerForm = "object", account = defaultAccountNumber, deliveryReceipts = true, restartAfterMs } = options;
  await using parts = new AsyncDisposableStack();
  const state = parts.use(new StateFile(options.statePath));
  const world = parts.use(new World({ state, account, clock }));
  const registration = new Registration(state, account, options.registered ?? true);
  const post = options.hook === undefined ? undefined : createWebhook(options.hook);
  const emit = (mail: Mail) => emitMail(world, mail);
  const { mailbox } = world;
  const host = parts.use(new Host({ mode, mailbox, post, faults, clock, log, emit, restartAfterMs }));
  const receipts = deliveryReceipts;
  const restApi = createRestApi({ world, state, registration, faults, answerForm, mode, log, receipts, host });
  const rest = getRequestListener(restApi.fetch);
  const people = getRequestListener(createPeopleApi({ world, registration, log }).fetch);

  const server = createSimulatorServer({ people, rest, host, mode });
  const local = parts.use(await listenLocal(server, options.port ?? 0, "simulator of Signal"));
  parts.defer(() => host[Symbol.dispose]()); // before the server, which waits for its WebSockets
  const running = parts.move();

  const placeOf = (person = defaultPerson, group?: string) => ({
    person,
    conversation: group === undefined ? person : conversationOfGroup(group),
  });
  return {
    url: `http://127.0.0.1:${local.port}`,
    account: world.account,
    faults,
    phone: (person = defaultPerson, group) => new Phone(world, person, group),
    person: (name) => world.directory.person(name),
    groupIds: (name) => {
      const { id } = world.directory.group(name);
      return { internal: id, rest: restGroupId(id) };
    },
    conversation: (person, group) => viewConversation(world, placeOf(person, group)),
    typingSpans: (person, group) => world.phones.typingSpans(placeOf(person, group).conversation),
    reinstall: (person) => void world.directory.reinstall(person),
    inject: (line, files = {}) => {
      for (const [id, bytes] of Object.entries(files)) world.contents.keep(bytes, "application/octet-stream", null, id);
      injectLine(world, line);
    },
    get waiting() {
      return world.mailbox.waiting;
    },
    get lost() {
      return world.mailbox.lost;
    },
    get refused() {
      return world.phones.refused;
    },
    get files() {
      return world.contents.files;
    },
    get isUp() {
      return host.isUp;
    },
    crash: () => host.crash(),
    restart: () => host.start(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
