// How the mail looks, as the invented person gets it or as somebody whom the reader chose.

import type { Checked, Draft, Looked, Server } from "./server";

const INVENTED = "As the invented Alex gets it";

export class Looking {
  private invented: Checked | undefined;
  private person: Looked | undefined;
  private readonly frame: HTMLIFrameElement;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly server: Server,
    private readonly draft: () => Draft,
    private readonly again: () => void,
  ) {
    this.frame = dialog.querySelector<HTMLIFrameElement>("iframe[data-part=frame]")!;
    for (const look of this.looks()) look.addEventListener("change", () => this.looked());
    this.form()?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.ask();
    });
    dialog.querySelector("[data-invented]")?.addEventListener("click", () => this.forget());
  }

  open(): void {
    this.dialog.showModal();
    this.forget();
  }

  look(): string {
    return [...this.looks()].find((one) => one.checked)?.value ?? "";
  }

  /** Take what the check found; somebody who is being looked at stays. */
  take(found: Checked): void {
    this.invented = found;
    if (!this.person) this.draw();
  }

  private looks(): NodeListOf<HTMLInputElement> {
    return this.dialog.querySelectorAll<HTMLInputElement>("input[name=look]");
  }

  private form(): HTMLFormElement | null {
    return this.dialog.querySelector<HTMLFormElement>("[data-person]");
  }

  private looked(): void {
    if (this.person) this.draw();
    else this.again();
  }

  /** Show a person: each press is a reveal of its own, so looks of one answer come together. */
  private async ask(): Promise<void> {
    const given = new FormData(this.form()!);
    const whom = { number: String(given.get("number") ?? ""), segment: String(given.get("segment") ?? "") };
    try {
      this.person = await this.server.look({ ...this.draft(), ...whom });
      this.tell(this.person.supposed.map((one) => `Shown as though it held, as your role may not know it: ${one}.`).join(" "));
      this.draw();
    } catch (why) {
      this.forget();
      this.tell((why as Error).message);
    }
  }

  private forget(): void {
    this.person = undefined;
    this.tell("");
    this.draw();
  }

  private draw(): void {
    const { person } = this;
    const html = person ? person.looks[this.look()] ?? person.looks[""] : this.invented?.html;
    // A frame that is filled while the dialog is closed may stay blank when it opens.
    if (html && this.dialog.open && this.frame.srcdoc !== html) this.frame.srcdoc = html;
    this.frame.classList.toggle("narrow", this.look() === "narrow");
    this.dialog.querySelector("[data-part=text]")!.textContent = (person ?? this.invented)?.text ?? "";
    this.dialog.querySelector("[data-whom]")!.textContent = person ? "As the person whom you chose gets it" : INVENTED;
    const back = this.dialog.querySelector<HTMLElement>("[data-invented]");
    if (back) back.hidden = !person;
  }

  private tell(words: string): void {
    this.dialog.querySelector("[data-told]")!.textContent = words;
  }
}
