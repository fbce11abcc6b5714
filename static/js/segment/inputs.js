// The controls of a condition. Each shows one input's value and writes it back into `node.given`.
"use strict";

const CHOICES = {
  points: [["day", "the day"], ["ago", "… ago"], ["ahead", "… from now"], ["moment", "the moment"]],
  windows: [["", "at any time"], ["within", "in the last"], ["next", "in the next"], ["since", "since"], ["before", "before"], ["both", "since … before"], ["during", "during"]],
  times: [["", "at least once"], ["never", "never"], ["at_least", "at least"], ["at_most", "at most"], ["exactly", "exactly"]],
};

function edit(node, input, value) {
  if (value === undefined) delete node.given[input.name];
  else node.given[input.name] = value;
  node.untouched = false;
  changed();
  resting.get(`${node.key} ${input.name}`)?.();
}

// What is drawn anew when the control that it rests on says something else.
const resting = new Map();

function labelled(words, control, more = {}) {
  return make("label", { for: control.id, ...more }, make("span", {}, words), control);
}

function textField(words, part, value, told, more = {}) {
  serial += 1;
  const field = make("input", { id: `clause-${serial}`, type: "text", value: value ?? "", autocomplete: "off", "data-part": part, oninput: () => told(field.value), ...more });
  return labelled(words, field);
}

function numberField(words, part, value, told, more = {}) {
  return textField(words, part, value ?? "", (text) => told(text.trim() === "" ? null : Number(text)), { type: "number", ...more });
}

function picker(words, part, options, held, told) {
  serial += 1;
  const select = make("select", { id: `clause-${serial}`, "data-part": part, onchange: () => told(options[select.selectedIndex][0]) },
    ...options.map(([value, said]) => make("option", { value: String(value), selected: value === held }, said)));
  return labelled(words, select);
}

function unitsFor(input) {
  return UNITS.filter((unit) => input.hours || !["seconds", "minutes", "hours"].includes(unit)).map((unit) => [unit, unit]);
}

// A point in time: a day, a moment with its offset, or so long before or after now.

function pointKind(value) {
  if (isObject(value)) return "ago" in value ? "ago" : "ahead";
  return isText(value) && value.length > 10 ? "moment" : "day";
}

function pointFields(words, part, input, value, told) {
  const holder = make("span", { class: "clause-row", role: "group", "aria-label": words });
  const options = CHOICES.points.filter(([kind]) => kind !== "moment" || input.hours);
  const draw = (held) => {
    const kind = pointKind(held);
    holder.replaceChildren(picker(words, `${part}.kind`, options, kind, (chosen) => {
      const next = { day: "", moment: `${new Date().toISOString().slice(0, 10)}T00:00:00+00:00` }[chosen] ?? { [chosen]: 30, unit: "days" };
      told(next);
      draw(next);
    }));
    if (kind === "day") holder.append(textField("Day", part, held, told, { type: "date" }));
    else if (kind === "moment") holder.append(textField("Moment with offset", part, held, told, { class: "moment" }));
    else {
      const now = { ...held };
      const set = (more) => { Object.assign(now, more); told({ ...now }); };
      holder.append(
        numberField("How many", part, held[kind], (count) => set({ [kind]: count }), { min: "0" }),
        picker("Unit", `${part}.unit`, unitsFor(input), held.unit, (unit) => set({ unit })));
    }
  };
  draw(value ?? "");
  return holder;
}

// When something happened: at any time, in the last so long, since, before.

function windowHow(held) {
  const keys = Object.keys(held);
  if (keys.length === 2) return "both";
  return keys.length ? keys[0].split("_")[0] : "";
}

function windowFields(node, input) {
  const holder = make("span", { class: "clause-row", role: "group", "aria-label": input.label });
  const draw = () => {
    const held = node.given[input.name] ?? {};
    const how = windowHow(held);
    const set = (next) => edit(node, input, next);
    holder.replaceChildren(picker(input.label, `${input.name}.how`, CHOICES.windows, how, (chosen) => {
      set({ "": {}, within: { within_days: 30 }, next: { next_days: 30 }, since: { since: "" }, before: { before: "" }, both: { since: "", before: "" }, during: { during: "this_month" } }[chosen]);
      draw();
    }));
    if (how === "within" || how === "next") {
      const [key] = Object.keys(held);
      const unit = key.slice(how.length + 1);
      holder.append(
        numberField("How many", key, held[key], (count) => set({ [`${how}_${windowUnit(node, input)}`]: count }), { min: "0" }),
        picker("Unit", `${input.name}.unit`, unitsFor(input), unit, (next) => set({ [`${how}_${next}`]: Object.values(node.given[input.name])[0] })));
    }
    if (how === "during") holder.append(picker("Period", "during", language.periods, held.during, (during) => set({ during })));
    for (const key of ["since", "before"].filter((one) => one in held)) {
      holder.append(pointFields(key === "since" ? "Since" : "Before", key, input, held[key], (value) => set({ ...node.given[input.name], [key]: value })));
    }
  };
  draw();
  return holder;
}

function windowUnit(node, input) {
  return Object.keys(node.given[input.name])[0].split("_")[1];
}

function timesFields(node, input) {
  const holder = make("span", { class: "clause-row", role: "group", "aria-label": input.label });
  const draw = () => {
    const held = node.given.times ?? { how: "", count: 1 };
    const how = held.how === "exactly" && held.count === 0 ? "never" : held.how;
    holder.replaceChildren(picker(input.label, "times.how", CHOICES.times, how, (chosen) => {
      edit(node, { name: "times" }, chosen === "never" ? { how: "exactly", count: 0 } : { how: chosen, count: held.count || 1 });
      draw();
    }));
    if (how && how !== "never") holder.append(numberField("Times", `times.${how}`, held.count, (count) => edit(node, { name: "times" }, { how, count }), { min: "0" }));
  };
  draw();
  return holder;
}

function pairFields(node, input) {
  const held = node.given[input.name] ?? [null, null];
  const set = (place, value) => {
    const next = [...(node.given[input.name] ?? [null, null])];
    next[place] = value;
    edit(node, input, next);
  };
  return ["From", "To"].map((words, place) => {
    const part = `${input.name}[${place}]`;
    if (input.of === "point") return pointFields(words, part, input, held[place] ?? "", (value) => set(place, value));
    return numberField(words, part, held[place], (value) => set(place, value), { step: input.of === "whole" ? "1" : "any" });
  });
}

// Conditions on the properties of an event, one row each.

function conditionFields(node, input) {
  const holder = make("div", { class: "clause-properties", role: "group", "aria-label": input.label });
  const rows = () => node.given[input.name] ?? [];
  const set = (next) => edit(node, input, next.length ? next : undefined);
  const draw = (focus) => {
    holder.replaceChildren(...rows().map((row, place) => {
      const put = (more) => set(rows().map((one, at) => (at === place ? { ...one, ...more } : one)));
      return make("div", { class: "clause-row" },
        textField("Property", `${input.name}[${place}].property`, row.property, (property) => put({ property })),
        picker("Test", `${input.name}[${place}].op`, TESTS, row.op, (op) => { put(op === "exists" ? { op, value: undefined } : { op, value: readAs(op, String(row.value ?? "")) }); draw(); }),
        ...(row.op === "exists" ? [] : [textField("Value", `${input.name}[${place}].value`, row.value, (text) => put({ value: readAs(row.op, text) }))]),
        make("button", { type: "button", class: "button small quiet", onclick: () => { set(rows().filter((_, at) => at !== place)); draw(true); } }, `Drop property ${place + 1}`));
    }));
    const more = make("button", { type: "button", class: "button small", "data-part": "add-property", onclick: () => { set([...rows(), { property: "", op: "equals", value: "" }]); draw(); holder.querySelector(".clause-row:last-of-type input")?.focus(); } }, "Add a property");
    holder.append(more);
    if (focus) more.focus();
  };
  draw();
  return holder;
}

// Numbers and yes are what they say, except where a text is looked into.
function readAs(op, text) {
  return WORDY.has(op) ? text : asJson(text);
}

function asJson(text) {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

// Several values as removable chips; codes are looked up by code or by name.

const codeNames = new Map();

function chips(node, input, { find, add }) {
  const holder = make("div", { class: "chips-field", role: "group", "aria-label": input.label });
  const list = make("ul", { class: "chips" });
  const values = () => node.given[input.name] ?? [];
  const set = (next) => { edit(node, input, next.length || !input.optional ? next : undefined); draw(); };
  const take = (text) => set([...new Set([...values(), ...text.split(/[,;\n]/).map((one) => one.trim()).filter(Boolean)])]);
  const entry = combobox({ label: input.label, part: input.name, find, keeps: false, placeholder: values().length ? "" : input.hint ?? "", chosen: (option) => (add ? add(option, take) : take(option.value)), free: take });
  const draw = () => list.replaceChildren(...values().map((value) => make("li", { class: "chip" },
    make("span", {}, String(value), ...(codeNames.get(value) ? [make("span", { class: "chip-name" }, codeNames.get(value))] : [])),
    make("button", { type: "button", "aria-label": `Drop ${value}`, onclick: () => { set(values().filter((one) => one !== value)); entry.field.focus(); } }, "×"))));
  entry.field.addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && entry.field.value === "" && values().length) set(values().slice(0, -1));
  });
  draw();
  holder.append(entry.holder, list);
  return holder;
}

async function ask(field, text, codes = []) {
  const body = new URLSearchParams({ field, q: text });
  for (const code of codes) body.append("code", code);
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(language.codes, { method: "POST", body, headers: { "X-CSRFToken": token } });
  return answer.ok ? (await answer.json()).options : [];
}

function codeFields(node, input) {
  const key = bySubject.get(node.subject).value;
  const find = async (text) => {
    const found = await ask(key, text);
    for (const option of found) if (option.kind === "code") codeNames.set(option.value, option.label);
    return found.map((option) => ({ ...option, label: option.label || option.value, note: option.kind === "group" ? option.note : `${option.value} ${option.note}` }));
  };
  const add = (option, take) => {
    if (option.kind === "group") { edit(node, { name: "group" }, [...new Set([...(node.given.group ?? []), option.value])]); redraw(node, "codes"); }
    else take(option.value);
  };
  return chips(node, { ...input, hint: "Code or name" }, { find, add });
}

async function nameCodes() {
  const wanted = new Map();
  for (const node of everyLeaf(root)) {
    const subject = bySubject.get(node.subject);
    for (const code of node.given.codes ?? []) if (!codeNames.has(code)) wanted.set(subject.value, [...(wanted.get(subject.value) ?? []), code]);
  }
  for (const [field, codes] of wanted) {
    for (const option of await ask(field, "", codes)) codeNames.set(option.value, option.label);
  }
  if (wanted.size && codeNames.size && !builder.contains(document.activeElement)) draw();
}

// One input's control.

function controls(node, input) {
  const value = node.given[input.name];
  const told = (next) => edit(node, input, next);
  if (value === undefined && input.default !== undefined) node.given[input.name] = input.default;
  const held = node.given[input.name];
  switch (input.type) {
    case "pair": return pairFields(node, input);
    case "point": return [pointFields(input.label, input.name, input, held, told)];
    case "window": return [windowFields(node, input)];
    case "times": return [timesFields(node, input)];
    case "conditions": return [conditionFields(node, input)];
    case "codes": return [codeFields(node, input)];
    case "texts": return [chips(node, input, { find: async () => [] })];
    case "numbers": return [textField(input.label, input.name, (held ?? []).join(", "), (text) => told(text.split(",").map((one) => one.trim()).filter(Boolean).map(Number)))];
    case "choices": return [choicesField(node, input)];
    case "choice": case "boolean": return [choiceField(node, input, held)];
    case "number": return [numberField(input.label, input.name, held, told, { step: "any" })];
    case "whole": return [numberField(input.label, input.name, held, (next) => told(next ?? (input.optional ? undefined : null)), { min: "0", step: "1" })];
    case "date": return [textField(input.label, input.name, held, told, { type: "date" })];
    case "part": return [partField(node, input)];
    default: return [textField(input.label, input.name, held, told, input.placeholder ? { placeholder: input.placeholder } : {})];
  }
}

function choiceField(node, input, held) {
  const flags = [[true, "yes"], ...(input.none === "no" && held !== false ? [] : [[false, "no"]])];
  const listed = input.type === "boolean" ? flags : input.options;
  const unlisted = input.listed && held !== undefined && !offered(input, held);
  const options = unlisted ? [...listed, [held, "one that is no longer there"]] : listed;
  if (held === undefined && !input.optional) node.given[input.name] = options[0]?.[0];
  const shown = input.optional ? [[undefined, input.none ?? "any"], ...options] : options;
  return picker(input.label, input.name, shown, node.given[input.name], (value) => edit(node, input, value));
}

// One of the parts of what another control names: a step of the workflow, a link of the message.
// What stands there already stays, marked, where it is no part of it any more.

const known = new Map();

function partsOf(kind, whole) {
  const address = language.parts[kind].replace(language.any, whole);
  if (!known.has(address)) {
    known.set(address, fetch(address).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer))).then(({ options }) => options.map(({ value, label }) => [value, label])).catch(() => { known.delete(address); return null; }));
  }
  return known.get(address);
}

function partField(node, input) {
  const holder = make("div", { class: "clause-row" });
  const typed = () => textField(`${input.label} called`, input.name, node.given[input.name], (text) => edit(node, input, text || undefined));
  const chosen = (options) => {
    const held = node.given[input.name];
    const gone = held && !options?.some(([value]) => value === held) ? [[held, options ? `${held} (no longer there)` : held]] : [];
    return picker(input.label, input.name, [[undefined, input.none], ...gone, ...(options ?? [])], held, (value) => edit(node, input, value));
  };
  const draw = async (anew) => {
    const whole = node.given[input.of];
    if (!whole) { holder.replaceChildren(typed()); return; }
    if (!anew) holder.replaceChildren(chosen(null));
    const options = await partsOf(input.of, whole);
    if (whole !== node.given[input.of]) return;
    if (anew && options && node.given[input.name] && !options.some(([value]) => value === node.given[input.name])) edit(node, input, undefined);
    const inside = holder.contains(document.activeElement);
    holder.replaceChildren(options ? chosen(options) : typed());
    if (inside) holder.querySelector("select, input").focus();
  };
  resting.set(`${node.key} ${input.of}`, () => draw(true));
  draw(false);
  return holder;
}

function choicesField(node, input) {
  const held = () => node.given[input.name] ?? [];
  const boxes = input.options.map(([value, words]) => make("label", { class: "check" }, make("input", {
    type: "checkbox", "data-part": input.name, checked: held().includes(value),
    onchange: (event) => edit(node, input, input.options.map(([one]) => one).filter((one) => (one === value ? event.target.checked : held().includes(one)))),
  }), words));
  return make("fieldset", { class: "clause-checks" }, make("legend", {}, input.label), ...boxes);
}
