// A text field that finds: type to filter, arrows to walk, Enter to choose, Escape to leave it.
// `find(text)` gives (a promise of) options {value, label, note, group}; `chosen(option)` is told.
"use strict";

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function combobox({ label, part, value = "", find, chosen, free = null, placeholder = "", keeps = true }) {
  serial += 1;
  const id = `combo-${serial}`;
  const list = make("ul", { id: `${id}-list`, role: "listbox", class: "combo-list", "aria-label": `${label}: suggestions`, hidden: true });
  const field = make("input", {
    id, type: "text", role: "combobox", value, autocomplete: "off", spellcheck: "false", placeholder,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, "data-part": part,
  });
  let options = [];
  let active = -1;
  let held = value;
  let asked = 0;

  const show = (open) => {
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    if (!open) { active = -1; field.removeAttribute("aria-activedescendant"); }
  };
  const mark = (place) => {
    active = options.length ? (place + options.length) % options.length : -1;
    for (const row of list.querySelectorAll("[role=option]")) {
      const here = row.id === `${id}-${active}`;
      row.setAttribute("aria-selected", String(here));
      if (here) { row.scrollIntoView({ block: "nearest" }); field.setAttribute("aria-activedescendant", row.id); }
    }
  };
  const pick = (option) => {
    held = keeps ? option.label : "";
    field.value = held;
    show(false);
    chosen(option);
  };
  const fill = (found) => {
    options = found;
    list.replaceChildren();
    let under = null;
    found.forEach((option, place) => {
      if (option.group && option.group !== under) list.append(make("li", { role: "presentation", class: "combo-group" }, option.group));
      under = option.group;
      const row = make("li", { role: "option", id: `${id}-${place}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); pick(option); } }, option.label);
      if (option.note) row.append(make("span", { class: "combo-note" }, option.note));
      list.append(row);
    });
    if (!found.length) list.append(make("li", { role: "presentation", class: "combo-group" }, free ? "Nothing of that name. Enter takes it as it is." : "Nothing of that name."));
    show(true);
  };
  const look = async (text) => {
    asked += 1;
    const turn = asked;
    const found = await find(text);
    if (turn !== asked || document.activeElement !== field) return;
    fill(found);
    // A code that is typed out is taken as it is; words are for finding.
    if (found.length && text && !(free && /\d/.test(text) && found[0].value !== text)) mark(0);
  };
  field.addEventListener("input", () => look(field.value.trim()));
  field.addEventListener("focus", () => field.select());
  field.addEventListener("click", () => { if (list.hidden) look(""); });
  field.addEventListener("blur", () => {
    const exact = keeps && options.find((option) => option.label.toLowerCase() === field.value.trim().toLowerCase());
    if (exact && field.value !== held) pick(exact);
    else if (free && field.value.trim()) { free(field.value.trim()); field.value = ""; }
    else if (keeps) field.value = held;
    show(false);
  });
  field.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) look("");
      else mark(active < 0 && event.key === "ArrowUp" ? options.length - 1 : active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && active >= 0) pick(options[active]);
      else if (free && field.value.trim()) { free(field.value.trim()); field.value = ""; show(false); }
      else if (!list.hidden && options.length === 1) pick(options[0]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      if (keeps) field.value = held;
      show(false);
    }
  });
  const holder = make("div", { class: "combo" }, make("label", { for: id }, label), field, list);
  return { holder, field };
}
