import { custodies } from "../../tee-bot/config.ts";
import { describeCustody } from "./custody-behaviour.ts";

for (const custody of custodies) describeCustody(custody);
