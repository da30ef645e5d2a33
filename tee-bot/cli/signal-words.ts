/** Sentences about a signal-cli-rest-api, for an operator. */

/** What a mode means for the bot; nothing where all is as it should be. */
export function describeMode(mode: string): string {
  if (mode.startsWith("json-rpc")) return "";
  return `  The REST server runs in MODE=${mode}: each call starts a program anew, and messages are polled. Set MODE=json-rpc.\n`;
}

/** Why a REST server refuses to register, in words that say what to do; upstream has no codes, only texts. */
export function registrationRemedy(said: string, number: string): string {
  if (/captcha/i.test(said))
    return [
      "Signal wants to see a person:",
      "1. open https://signalcaptchas.org/registration/generate.html in a browser and solve it;",
      '2. copy the link of "Open Signal", which begins with signalcaptcha://;',
      `3. postern signal register ${number} --captcha 'signalcaptcha://…' within some minutes, from the same network.`,
    ].join("\n        ");
  if (/rate.?limit|too many|429|413/i.test(said))
    return "Wait some hours: Signal counts attempts by number and by network. Trying again at once makes it longer.";
  if (/pin|locked/i.test(said)) return "The number has a registration lock: give its PIN with --pin, or wait 7 days.";
  if (/voice|sms|delivery/i.test(said)) return "Have the code called: --voice, a minute after the first attempt.";
  return "postern signal status says whether the REST server is well; its own log says more.";
}

/** A number as Signal takes it, spaces and hyphens left out; undefined for what is none. */
export function readNumber(text: string): string | undefined {
  const number = text.replaceAll(/[\s().-]/g, "");
  return /^\+[1-9]\d{4,15}$/.test(number) ? number : undefined;
}

/** What solving a captcha gives, in full; undefined for anything else. */
export function readCaptcha(text: string): string | undefined {
  const captcha = text.trim();
  return /^signalcaptcha:\/\/\S{10,8192}$/.test(captcha) ? captcha : undefined;
}
