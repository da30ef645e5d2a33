/** Who the bot is. Its number is known; its uuid is learnt from what names both, for nothing else tells it. */
import type { Envelope } from "./envelope.ts";

export interface Self {
  /** The bot's number. */
  readonly account: string | undefined;
  readonly uuid: string | undefined;
}

/** As envelopes name somebody, where either may be hidden. */
export interface Named {
  readonly uuid?: string | null | undefined;
  readonly number?: string | null | undefined;
}

export function isSelf({ uuid, number }: Named, self: Self): boolean {
  if (self.account !== undefined && number === self.account) return true;
  return self.uuid !== undefined && uuidOf(uuid) === self.uuid;
}

/** Of a mention, a quote, a reaction or another device of the account. */
export function ownUuidIn(envelope: Envelope, account: string | undefined): string | undefined {
  if (account === undefined) return undefined;
  const { dataMessage, editMessage, sourceUuid, sourceNumber } = envelope;
  const { mentions, quote, reaction } = dataMessage ?? editMessage?.dataMessage ?? {};
  const named: Named[] = [
    { uuid: sourceUuid, number: sourceNumber },
    ...(mentions ?? []),
    { uuid: quote?.authorUuid, number: quote?.authorNumber },
    { uuid: reaction?.targetAuthorUuid, number: reaction?.targetAuthorNumber },
  ];
  return uuidOf(named.find(({ uuid, number }) => number === account && uuidOf(uuid))?.uuid);
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** In lower case; undefined for anything else, such as a number or a `PNI:…`. */
export function uuidOf(text: string | null | undefined): string | undefined {
  return text && uuidPattern.test(text) ? text.toLowerCase() : undefined;
}
