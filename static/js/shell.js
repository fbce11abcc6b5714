// The staff shell: keys, dialogs, the menu of small screens, copying, and marking what polls.
"use strict";

const editable = (node) => node.closest("input, textarea, select, [contenteditable=true]") !== null;
const scrolled = new Map();
let opener = null;
let waitingForPlace = 0;

function openDialog(id, from) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  opener = from;
  dialog.showModal();
}

function say(words) {
  document.getElementById("announce").textContent = words;
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function setSidebar(open) {
  const button = document.querySelector("[data-menu]");
  document.body.classList.toggle("sidebar-open", open);
  button?.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector(".sidebar a")?.focus();
}

async function copy(button) {
  const words = button.firstChild;
  try {
    await navigator.clipboard.writeText(button.dataset.copies);
    words.textContent = "Copied";
    say("Copied");
  } catch {
    words.textContent = "Press Ctrl C";
    getSelection().selectAllChildren(button.previousElementSibling);
  }
  setTimeout(() => { words.textContent = "Copy"; }, 2000);
}

document.addEventListener("click", (event) => {
  const target = event.target;
  const opens = target.closest("[data-opens]");
  if (opens) openDialog(opens.dataset.opens, opens);
  const closes = target.closest("[data-closes]");
  if (closes) closes.closest("dialog")?.close();
  if (target instanceof HTMLDialogElement) target.close();
  if (target.closest("[data-menu]")) setSidebar(!document.body.classList.contains("sidebar-open"));
  else if (!target.closest(".sidebar")) document.body.classList.remove("sidebar-open");
  const copies = target.closest("[data-copies]");
  if (copies) copy(copies);
  if (target.closest("[data-prints]")) window.print();
  closeMenus(target.closest("details.menu"));
});

document.addEventListener("close", () => { opener?.focus(); opener = null; }, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    if (document.body.classList.contains("sidebar-open")) {
      setSidebar(false);
      document.querySelector("[data-menu]").focus();
    }
    if (event.target.matches?.("[data-search]")) event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || editable(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "?") {
    openDialog("keys", document.activeElement);
  } else if (event.key === "g") {
    waitingForPlace = Date.now();
    return;
  } else if (Date.now() - waitingForPlace < 1500) {
    const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (place) { event.preventDefault(); location.assign(place.href); }
  }
  waitingForPlace = 0;
});

// A request that no hand started (a poll, a late part of the page) keeps nobody signed in.
// What polls comes back scrolled to where it was.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  for (const one of detail.target.querySelectorAll(".table-scroll[id]")) scrolled.set(one.id, [one.scrollLeft, one.scrollTop]);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const [id, [left, top]] of scrolled) document.getElementById(id)?.scrollTo({ left, top, behavior: "instant" });
  scrolled.clear();
});

document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.triggeringEvent) event.detail.headers["Attune-Polling"] = "1";
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status !== 401) say("That did not work. Nothing was changed.");
});

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("[data-focus]")?.focus();
});
