import { IdentityApi } from "./identity-api.ts";
import { Lane } from "./lane.ts";
import { RestClient } from "./rest-client.ts";
import { SignalApi, type CallLimits } from "./signal-api.ts";

export interface SignalCalls {
  readonly api: SignalApi;
  readonly identities: IdentityApi;
  readonly lane: Lane;
}

/** All calls of one REST server, through one lane. Once a process and server: two lanes are as good as none. */
export function openCalls(api: string, limits?: CallLimits): SignalCalls {
  const lane = new Lane();
  const client = new RestClient({ api, lane });
  return { api: new SignalApi({ client, limits }), identities: new IdentityApi({ client }), lane };
}
