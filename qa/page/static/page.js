// Copydesk's own script: what Gradio's components do not do. Everything is told by attributes of the markup (data-do).
"use strict";

const $ = (query, within = document) => within.querySelector(query);
const all = (query, within = document) => [...within.querySelectorAll(query)];
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

function tell(text) { // what a screen reader says too
  $("#told").textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { $("#told").textContent = ""; }, 4000);
}

// The source panel. Any link of class "cite" opens it; next and previous go over those of the same answer.
const panel = { trail: [], from: null, link: null };

function cites(link) {
  const within = link.closest(".answer, .tabitem") || document;
  const seen = new Set();
  return all("a.cite", within).filter((one) => one.offsetParent && !seen.has(one.href) && seen.add(one.href));
}

function open(link, returning = false) {
  const aside = $("#panel");
  if (aside.hidden) [panel.trail, panel.from] = [[], link];
  else if (!returning && panel.link) panel.trail.push(panel.link);
  panel.link = link;
  all("a.cite.shown").forEach((one) => one.classList.remove("shown"));
  link.classList.add("shown");
  aside.hidden = false;
  const frame = $("iframe", aside);
  // In place: an iframe that is sent elsewhere would add to what the browser's own Back goes through.
  frame.contentWindow.location.replace(link.href);
  $("#panel-own").href = link.href;
  const list = cites(link);
  const at = list.findIndex((one) => one.href === link.href);
  $("#panel-place").textContent = list.length > 1 ? `${at + 1} of ${list.length} sources` : "Source";
  $("[data-do=previous]", aside).disabled = at <= 0;
  $("[data-do=next]", aside).disabled = at < 0 || at >= list.length - 1;
  $("[data-do=back]", aside).disabled = !panel.trail.length;
}

function step(by) {
  const first = panel.link && !$("#panel").hidden ? panel.link : null;
  const list = cites(first || all(".answer a.cite").at(-1) || document.body);
  const at = first ? list.findIndex((one) => one.href === first.href) + by : by > 0 ? 0 : list.length - 1;
  if (!list[at]) return;
  open(list[at]);
  list[at].scrollIntoView({ block: "center", behavior: reduced.matches ? "auto" : "smooth" });
}

function close() {
  $("#panel").hidden = true;
  all("a.cite.shown").forEach((one) => one.classList.remove("shown"));
  (panel.from?.isConnected ? panel.from : panel.link)?.focus({ preventScroll: true });
  panel.link = null;
}

const acts = {
  previous: () => step(-1),
  next: () => step(1),
  back: () => panel.trail.length && open(panel.trail.pop(), true),
  close,
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.cite");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open(link);
    return;
  }
  const button = event.target.closest("[data-do]");
  if (button && acts[button.dataset.do]) {
    event.preventDefault();
    acts[button.dataset.do](button, event);
  }
});
