/** Where a message is written: its text, what it replies to, and files. */
import { edit, send, type Draft, type SeenMessage } from "./conversation.ts";

/** As Signal's, for one message. */
const maxFiles = 32;
const maxFileBytes = 10 * 1024 * 1024;
/** Of a message that is replied to. */
const shownChars = 80;

export interface Composer {
  replyTo(message: SeenMessage): void;
  change(message: SeenMessage): void;
  /** Says what went wrong. */
  tell(trouble: string): void;
}

export function openComposer(form: HTMLFormElement): Composer {
  const text = find(form, "textarea", HTMLTextAreaElement);
  const input = find(form, "input", HTMLInputElement);
  const list = find(form, "#files", HTMLUListElement);
  const trouble = find(form, "#trouble", HTMLElement);
  const quoted = find(form, "#quoted", HTMLElement);
  /** What the text is about, if it is not a message that stands for itself. */
  let about: { readonly act: "reply" | "change"; readonly message: SeenMessage } | undefined;
  let files: File[] = [];

  const showFiles = (): void => {
    list.replaceChildren(
      ...files.map(({ name }) => Object.assign(document.createElement("li"), { textContent: name })),
    );
  };
  const relate = (to: typeof about): void => {
    about = to;
    quoted.hidden = to === undefined;
    const words = to?.act === "change" ? "Change" : `Reply to ${to?.message.from}`;
    find(quoted, "span", HTMLElement).textContent = to ? `${words}: ${to.message.text.slice(0, shownChars)}` : "";
    text.focus();
  };
  const sendDraft = async (): Promise<void> => {
    if (about?.act === "change") return edit(about.message, text.value);
    const attachments = await Promise.all(files.map(readFile));
    await send({
      text: text.value,
      ...(about && { quote: about.message.timestamp }),
      ...(attachments.length > 0 && { attachments }),
    });
  };
  const submit = async (): Promise<void> => {
    if (text.value.trim() === "" && files.length === 0) return;
    trouble.textContent = "";
    try {
      await sendDraft();
      text.value = "";
      files = [];
      showFiles();
      relate(undefined);
    } catch (error) {
      trouble.textContent = error instanceof Error ? error.message : "Not sent.";
    }
    text.focus();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  input.addEventListener("change", () => {
    const chosen = [...(input.files ?? [])];
    const large = chosen.find(({ size }) => size > maxFileBytes);
    trouble.textContent = large ? `${large.name} is larger than 10 MiB.` : "";
    files = [...files, ...chosen.filter((file) => file !== large)].slice(0, maxFiles);
    input.value = "";
    showFiles();
  });
  find(quoted, "button", HTMLButtonElement).addEventListener("click", () => relate(undefined));
  return {
    replyTo: (message) => relate({ act: "reply", message }),
    change: (message) => {
      text.value = message.text;
      relate({ act: "change", message });
    },
    tell: (words) => {
      trouble.textContent = words;
    },
  };
}

export function find<T extends Element>(within: ParentNode, selector: string, form: new () => T): T {
  const found = within.querySelector(selector);
  if (found instanceof form) return found;
  throw new Error(`The page has no ${selector}.`);
}

async function readFile(file: File): Promise<NonNullable<Draft["attachments"]>[number]> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { filename: file.name, contentType: file.type || "application/octet-stream", base64: btoa(binary) };
}
