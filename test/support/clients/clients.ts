import { aiSdkClient } from "./ai-sdk-client.ts";
import { langchainClient } from "./langchain-client.ts";
import { openaiClient } from "./openai-client.ts";

export const clients = { openai: openaiClient, ai: aiSdkClient, langchain: langchainClient } as const;
export type ClientName = keyof typeof clients;
export const clientNames = Object.keys(clients) as ClientName[];
