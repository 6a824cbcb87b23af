// Copydesk's own script: what Gradio's components do not do. Everything is told by attributes of the markup (data-do).
"use strict";

const $ = (query, within = document) => within.querySelector(query);
const all = (query, within = document) => [...within.querySelectorAll(query)];

function tell(text) { // what a screen reader says too
  $("#told").textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { $("#told").textContent = ""; }, 4000);
}

async function fetched(path, options) { // what is refused is told in one line
  const reply = await fetch(path, options);
  if (reply.ok) return reply;
  const { said, error } = await reply.json().catch(() => ({}));
  throw new Error(said || error || `${reply.status} ${reply.statusText}`);
}

// Files that are made here: a table of which a spreadsheet computes nothing, and lines that Markdown shows as they are.
const csv = (rows) => rows.map((row) => row.map((text) => `"${String(text).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`).join(",")).join("\r\n");
const plain = (text) => text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>#|~&]/g, "\\$&");

function saveFile(download, text) {
  const file = Object.assign(document.createElement("a"), { download, href: URL.createObjectURL(new Blob([text])) });
  file.click();
  URL.revokeObjectURL(file.href);
}

function onDrop(query, take) { // of files, on what fits the query
  document.addEventListener("dragover", (event) => event.target.closest?.(query) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    const zone = event.target.closest?.(query);
    if (!zone || !event.dataTransfer.files.length) return;
    event.preventDefault();
    take(zone, event.dataTransfer.files);
  });
}

// The source panel. Any link of class "cite" opens it; next and previous go over those of the same answer.
const panel = { trail: [], from: null, link: null };

function cites(link) {
  const seen = new Set();
  return all("a.cite", link.closest(".answer, .tabitem") || document).filter((one) => !seen.has(one.href) && seen.add(one.href));
}

function openSource(link, returning = false) {
  const aside = $("#panel");
  if (aside.hidden) [panel.trail, panel.from] = [[], link];
  else if (!returning && panel.link) panel.trail.push(panel.link);
  panel.link = link;
  all("a.cite.shown").forEach((one) => one.classList.remove("shown"));
  link.classList.add("shown");
  aside.hidden = false;
  hideCard();
  const [frame, list] = [$("iframe", aside), cites(link)];
  frame.onload = () => frame.contentDocument.addEventListener("keydown", pressed);
  // In place: an iframe that is sent elsewhere would add to what the browser's own Back goes through.
  frame.contentWindow.location.replace($("#panel-own").href = link.href);
  const at = list.findIndex((one) => one.href === link.href);
  $("#panel-place").textContent = list.length > 1 ? _("{at} of {count} quotations", { at: at + 1, count: list.length }) : _("Source");
  $("[data-do=previous]", aside).disabled = at <= 0;
  $("[data-do=next]", aside).disabled = at < 0 || at >= list.length - 1;
  $("[data-do=back]", aside).disabled = !panel.trail.length;
  if (aside.offsetWidth === innerWidth) $("[data-do=close]", aside).focus(); // it covers all else
}

function step(by) {
  const first = panel.link && !$("#panel").hidden ? panel.link : null;
  const list = cites(first || all(".answer a.cite").at(-1) || document.body);
  const at = first ? list.findIndex((one) => one.href === first.href) + by : by > 0 ? 0 : list.length - 1;
  if (!list[at]) return;
  openSource(list[at]);
  list[at].scrollIntoView({ block: "center" });
}

function closeSource(returning = true) {
  $("#panel").hidden = true;
  all("a.cite.shown").forEach((one) => one.classList.remove("shown"));
  if (returning) (panel.from?.isConnected ? panel.from : panel.link)?.focus({ preventScroll: true });
  panel.link = null;
}

const acts = { // by data-do of what is clicked
  previous: () => step(-1), next: () => step(1), close: () => closeSource(), shortcuts: () => $("#shortcuts").showModal(),
  back: () => panel.trail.length && openSource(panel.trail.pop(), true),
  card: (button) => showCard(card.link, card.at + Number(button.dataset.by)),
  speak: (link) => [speak(link.dataset.code), location.reload()],
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.cite");
  const button = event.target.closest("[data-do]");
  if (event.ctrlKey || event.metaKey || event.shiftKey || !(link || acts[button?.dataset.do])) return;
  if (event.target.type !== "checkbox") event.preventDefault();
  if (!link) acts[button.dataset.do](button);
  else openSource((link === card.link && all("a.cite", link.parentElement)[card.at]) || link); // the one its card shows
});

// The card of a mark: who says it, when, in which words; ‹ › where a sentence has several.
const card = { link: null, at: 0, timer: 0 };

function showCard(link, at = 0) {
  const held = all(":scope > div", link.parentElement.querySelector(".cards"));
  clearTimeout(card.timer);
  card.link = link;
  card.at = (at + held.length) % held.length;
  const shown = $("#card");
  shown.replaceChildren(held[card.at].cloneNode(true));
  if (held.length > 1) {
    const [before, next, place] = [_("The source before"), _("The next source"), _("{at} of {count}", { at: card.at + 1, count: held.length })];
    shown.insertAdjacentHTML("beforeend", `<nav><button type="button" data-do="card" data-by="-1" aria-label="${before}">‹</button>
      <span class="quiet">${place}</span>
      <button type="button" data-do="card" data-by="1" aria-label="${next}">›</button></nav>`);
  }
  shown.hidden = false;
  const [box, size] = [link.getBoundingClientRect(), shown.getBoundingClientRect()];
  const below = box.bottom + size.height + 12 < innerHeight;
  shown.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 12))}px`;
  shown.style.top = `${(below ? box.bottom + 6 : Math.max(8, box.top - size.height - 6))}px`;
}

function hideCard(after = 0) {
  clearTimeout(card.timer);
  card.timer = setTimeout(() => { card.link = null; $("#card").hidden = true; }, after);
}

addEventListener("scroll", () => card.link && hideCard(), { passive: true });
const marked = (target) => target.closest?.("a.cite:has(~ .cards)");
document.addEventListener("mouseover", (event) => {
  const mark = marked(event.target);
  if (mark || event.target.closest?.("#card")) clearTimeout(card.timer);
  if (mark && mark !== card.link) card.timer = setTimeout(() => showCard(mark), 120);
  else if (!mark && !event.target.closest?.("#card") && document.activeElement !== card.link) hideCard(250);
});
document.addEventListener("focusin", (event) => {
  if (marked(event.target) && event.target.matches(":focus-visible")) showCard(marked(event.target));
  else if (!event.target.closest("#card")) hideCard();
});

// The address is that of the tab which is seen, as it was left; Back opens the tab that its address names.
const named = () => (new URLSearchParams(location.search).get("tab") || "ask").toLowerCase();
const tabs = { seen: named(), own: {}, buttons: "#tabs :is([role=tab], .overflow-dropdown button)" };
const nameOf = (button) => (words.tabs[button?.textContent.trim()] || button?.textContent.trim())?.toLowerCase();

function setAddress(tab, address) {
  tabs.own[tab] = address;
  if (tab === tabs.seen) history.replaceState(null, "", address);
}

document.addEventListener("click", (event) => { // before Gradio, which changes the tab
  const tab = nameOf(event.target.closest?.(tabs.buttons));
  if (!tab || tab === tabs.seen) return;
  tabs.own[tabs.seen] = `/${location.search}`;
  tabs.seen = tab;
  setAddress(tab, tabs.own[tab] || (tab === "ask" ? "/" : `/?tab=${tab}`));
}, true);
addEventListener("popstate", () => {
  const [tab, address] = [named(), `/${location.search}`];
  if (tab === tabs.seen) return;
  tabs.own[tab] = address;
  all(tabs.buttons).find((button) => nameOf(button) === tab)?.click();
});

// Keys. Letters are for where nothing is being typed; those that ask, for the tab that asks.
const keys = { "?": "shortcuts", j: "next", k: "previous", ArrowRight: "next", ArrowLeft: "previous" };

function pressed(event) {
  if ($("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], [role=tab]");
  const arrow = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.key === "Escape") {
    if (card.link) hideCard();
    else if (!$("#panel").hidden) closeSource();
    else if ($("#ask.drawn")) acts.drawer();
    else if ($("#composer.busy")) acts.stop();
    else if ($("#composer .redo:not([hidden])")?.offsetParent) acts.anew();
  } else if (typing || (arrow && !card.link && $("#panel").hidden)) return;
  else if (arrow && card.link) showCard(card.link, card.at + arrow);
  else if (acts[keys[event.key]]) acts[keys[event.key]]();
  else if (!$("#composer")?.offsetParent) return;
  else if (event.key === "/") $("#question").focus();
  else if (event.key === "e") all("[data-do=edit]").at(-1)?.click();
  else if (event.key === "n") acts.new();
  else return;
  event.preventDefault();
}
document.addEventListener("keydown", pressed);
