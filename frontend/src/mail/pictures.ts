// The organisation's pictures: choose one, or upload one with the words that stand for it.

import type { Picture, Server } from "./server";

export class Pictures {
  private readonly list: HTMLElement;
  private readonly said: HTMLElement;

  constructor(
    host: HTMLElement,
    pictures: Picture[],
    private readonly server: Server,
    private readonly choose: (one: Picture) => void,
  ) {
    this.list = host.querySelector<HTMLElement>("[data-list]")!;
    this.said = host.querySelector<HTMLElement>("[data-said]")!;
    this.list.append(...pictures.map((one) => this.item(one)));
    const form = host.querySelector<HTMLFormElement>("form")!;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.upload(form);
    });
  }

  private async upload(form: HTMLFormElement): Promise<void> {
    const file = (form.elements.namedItem("picture") as HTMLInputElement).files?.[0];
    const alt = (form.elements.namedItem("alt") as HTMLInputElement).value.trim();
    const adorns = (form.elements.namedItem("adorns") as HTMLInputElement).checked;
    if (!file) return this.tell("Choose a file first.");
    try {
      const made = await this.server.upload(file, alt, adorns);
      this.list.prepend(this.item(made));
      form.reset();
      this.tell("Uploaded.");
      this.choose(made);
    } catch (why) {
      this.tell((why as Error).message);
    }
  }

  private item(one: Picture): HTMLElement {
    const line = document.createElement("li");
    const button = document.createElement("button");
    const image = document.createElement("img");
    button.type = "button";
    image.src = one.src;
    image.alt = one.alt || "A picture that only adorns";
    image.loading = "lazy";
    button.append(image);
    button.addEventListener("click", () => this.choose(one));
    line.append(button);
    return line;
  }

  private tell(words: string): void {
    this.said.textContent = words;
  }
}
