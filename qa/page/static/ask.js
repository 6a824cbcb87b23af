// The Ask tab: the box with its filters, conversations, what can be done with an answer. Uses what page.js has.
"use strict";

const asking = { talk: "", busy: false, waiting: null, redo: null, many: { outlets: [], authors: [] } };
const form = () => $("#composer");
const question = () => $("#question");
const tellDesk = (act, detail = {}) => // see LISTEN in ask.py
  $("#form [id^=html-]").dispatchEvent(new CustomEvent("tell", { detail: { act, ...detail } }));

// The box. What is asked is read from it, and can be filled in again: from a link, an example, an earlier question.
function asked() {
  const told = { question: question().value.trim() };
  for (const [name, values] of Object.entries(asking.many)) if (values.length) told[name] = [...values];
  for (const field of all("[name]", form())) {
    const value = field.type === "checkbox" ? field.checked : field.value;
    if (value) told[field.name] = value;
  }
  return told;
}

function fill(told) {
  question().value = told.question || "";
  for (const name of Object.keys(asking.many)) asking.many[name] = [...(told[name] || [])];
  for (const field of all("[name]", form())) {
    if (field.type === "checkbox") field.checked = Boolean(told[field.name]);
    else field.value = told[field.name] || "";
  }
  shape();
}

function shape() { // the height of the box, and the filters that are set as chips
  const box = question();
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 200)}px`;
  const chips = [];
  for (const [name, values] of Object.entries(asking.many)) {
    for (const value of values) chips.push([name === "authors" ? `by ${value}` : value, () => {
      asking.many[name] = asking.many[name].filter((one) => one !== value);
    }]);
  }
  const words = { since: "from", until: "until", as_of: "as of", llm: "written by", strict: "only what is supported" };
  for (const field of all("[name]", form())) {
    if (field.type === "checkbox" ? !field.checked : !field.value) continue;
    const shown = field.type === "date"
      ? field.valueAsDate.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" })
      : field.type === "checkbox" ? "" : field.value;
    chips.push([`${words[field.name]} ${shown}`.trim(), () => {
      if (field.type === "checkbox") field.checked = false;
      else field.value = "";
    }]);
  }
  $(".chips", form()).replaceChildren(...chips.map(([text, drop]) => {
    const [chip, button] = [document.createElement("li"), document.createElement("button")];
    [button.type, button.textContent] = ["button", "×"];
    button.setAttribute("aria-label", `Remove ${text}`);
    button.onclick = () => { drop(); shape(); question().focus(); };
    chip.append(text, button);
    return chip;
  }));
  $(".redo", form()).hidden = asking.redo === null;
  $(".redo b", form()).textContent = asking.redo ?? "";
}

function filters(shown) {
  $("#filters").hidden = !shown;
  $("[data-do=filters]").setAttribute("aria-expanded", String(shown));
  if (shown) $("#filters input").focus();
}

function send(told, n = asking.redo) {
  if (!told.question) return question().focus();
  if (asking.busy) { // it waits for the one before
    asking.waiting = [told, n];
    return tell("This is asked when the answer is complete");
  }
  asking.redo = null;
  question().value = "";
  filters(false);
  shape();
  busy(true);
  tellDesk("ask", { asked: told, n, talk: asking.talk });
}

function busy(now) {
  asking.busy = now;
  form().classList.toggle("busy", now);
  if (now || !asking.waiting) return;
  const next = asking.waiting;
  asking.waiting = null;
  send(...next);
}

function goTo(talk, keep = false) {
  asking.talk = talk;
  const address = new URL(location.href);
  if (talk) address.search = `?talk=${encodeURIComponent(talk)}`;
  else if (!keep) address.search = "";
  history.replaceState(null, "", address);
}

function load(talk) {
  if (asking.busy) tellDesk("stop");
  asking.redo = null;
  shape();
  busy(false);
  close(false);
  $("#ask").classList.remove("drawn");
  goTo(talk);
  tellDesk("open", { talk });
  question().focus({ preventScroll: true });
  scrollTo(0, 0);
}

const turnOf = (button) => button.closest(".turn");
const askedIn = (turn) => JSON.parse(turn.dataset.asked);
const numberOf = (turn) => Number(turn.dataset.n);
const last = () => all(".turn").at(-1);

function again(turn) { // fills the box with an earlier question; sent, it is asked in place of that and what follows
  asking.redo = numberOf(turn);
  fill(askedIn(turn));
  question().focus();
}

function rate(turn) {
  const good = $("[data-do=good]", turn).getAttribute("aria-pressed") === "true";
  const bad = $("[data-do=bad]", turn).getAttribute("aria-pressed") === "true";
  $(".faults", turn).hidden = !bad;
  const faults = bad ? all("[data-do=fault]:checked", turn).map((box) => box.value) : [];
  tellDesk("rate", { talk: asking.talk, n: numberOf(turn), good: good || bad ? good : null, faults });
}

function thumb(button, other) {
  const turn = turnOf(button);
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  $(`[data-do=${other}]`, turn).setAttribute("aria-pressed", "false");
  rate(turn);
  tell("Thank you, this is kept");
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not over plain http
    const box = document.createElement("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  tell(`${what} copied`);
}

function markdown(turn) { // with footnotes that are links to the marked places
  const plain = (text) => text.replace(/\s+/g, " ").trim().replace(/[\\`*_[\]<>#]/g, "\\$&");
  const notes = new Map();
  const paragraphs = all(".line", turn).map((line) => {
    const marks = all(".meta > a.cite", line).map((link, at) => {
      if (!notes.has(link.href)) {
        const card = all(".cards > div", line)[at];
        const quoted = plain($("blockquote", card).textContent);
        notes.set(link.href, `${plain(link.firstChild.textContent)}, “${plain(card.dataset.title)}”: ${quoted} <${link.href}>`);
      }
      return `[^${[...notes.keys()].indexOf(link.href) + 1}]`;
    });
    return plain($("p", line).textContent) + (marks.join("") || " (not in the articles)");
  });
  const said = paragraphs.length ? paragraphs : [plain($(".refusal", turn)?.textContent || "")];
  const footnotes = [...notes.values()].map((note, at) => `[^${at + 1}]: ${note}`);
  return [`**${plain($("h2", turn).textContent)}**`, ...said, footnotes.join("\n")].join("\n\n").trim();
}

function linkTo(turn) {
  const { question: q, outlets = [], authors = [], ...rest } = askedIn(turn);
  const address = new URL(location.origin);
  address.searchParams.set("q", q);
  for (const one of outlets) address.searchParams.append("outlet", one);
  for (const one of authors) address.searchParams.append("author", one);
  for (const [name, value] of Object.entries(rest)) address.searchParams.set(name, value === true ? "1" : value);
  return address.href;
}

function fromAddress() { // /?q=…&outlet=…&since=… fills the box and asks
  const given = new URLSearchParams(location.search);
  if (!given.get("q") || given.get("tab") || given.get("talk")) return;
  const told = { question: given.get("q"), outlets: given.getAll("outlet"), authors: given.getAll("author") };
  for (const name of ["since", "until", "as_of", "llm", "strict"]) if (given.get(name)) told[name] = given.get(name);
  fill(told);
  send(asked());
}

function dialog(title, yes, name) { // a name for one that has it, else whether it was agreed to
  const shown = $("#asked");
  $("h2", shown).textContent = title;
  $("label", shown).hidden = name === undefined;
  $("#asked-name").value = name ?? "";
  $(".strong", shown).textContent = yes;
  shown.returnValue = "";
  shown.showModal();
  return new Promise((done) => {
    shown.onclose = () => done(shown.returnValue ? $("#asked-name").value.trim() || "yes" : "");
  });
}

Object.assign(acts, {
  filters: () => filters($("#filters").hidden),
  stop: () => {
    tellDesk("stop");
    asking.waiting = null;
    const turn = $("#live .working");
    if (turn) { // what was written stays; the service keeps it, too
      turn.classList.remove("working");
      turn.removeAttribute("aria-busy");
      $(".read", turn).textContent = "Stopped. What was written stays.";
    }
    busy(false);
  },
  new: () => load(""),
  talk: (link) => load(link.dataset.talk),
  drawer: () => $("#ask").classList.toggle("drawn"),
  example: (button) => send({ question: button.dataset.question }, null),
  anew: () => { asking.redo = null; fill({}); },
  retry: (button) => send(askedIn(turnOf(button)), numberOf(turnOf(button))),
  edit: (button) => again(turnOf(button)),
  change: (button) => { again(turnOf(button)); filters(true); },
  good: (button) => thumb(button, "bad"),
  bad: (button) => thumb(button, "good"),
  copy: (button) => copy(markdown(turnOf(button)), "Answer"),
  link: (button) => copy(linkTo(turnOf(button)), "Link"),
  rename: async (button) => {
    const link = $("a", button.closest("li"));
    const title = await dialog("Rename this conversation", "Rename", link.textContent);
    if (title) tellDesk("rename", { talk: link.dataset.talk, title, open: asking.talk });
  },
  delete: async (button) => {
    const link = $("a", button.closest("li"));
    if (!await dialog(`Delete “${link.textContent}”?`, "Delete")) return;
    tellDesk("delete", { talk: link.dataset.talk, open: asking.talk });
    if (link.dataset.talk === asking.talk) goTo("");
  },
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.dataset.do === "doubts") turnOf(field).classList.toggle("doubtful", field.checked);
  if (field.dataset.do === "fault") rate(turnOf(field));
  if (field.dataset.many && field.value.trim()) {
    const values = asking.many[field.dataset.many];
    if (!values.includes(field.value.trim())) values.push(field.value.trim());
    field.value = "";
  }
  if (field.closest("#filters")) shape();
});
document.addEventListener("input", (event) => {
  if (event.target.id === "question") shape();
  // Choosing one of the list is an input, too; only then the value is one of them.
  const many = event.target.dataset?.many;
  if (many && all(`#${many} option`).some((one) => one.value === event.target.value)) {
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (event.target.id === "search") {
    clearTimeout(asking.timer);
    asking.timer = setTimeout(() => tellDesk("search", { search: event.target.value, talk: asking.talk }), 150);
  }
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "composer") return;
  event.preventDefault();
  send(asked());
});
document.addEventListener("keydown", (event) => {
  if (event.target.dataset?.many && event.key === "Enter") {
    event.preventDefault();
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (event.target.id !== "question" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send(asked());
});

// What the service sends tells by itself which conversation it is and whether the answer is complete.
new MutationObserver(() => {
  if (!form() || !$("#talk")) return;
  if (!asking.ready) {
    asking.ready = true;
    shape();
    goTo($("#talk").dataset.talk, true);
    fromAddress();
  }
  const talk = $("#talk").dataset.talk;
  if (asking.busy && talk && talk !== asking.talk) goTo(talk);
  const working = Boolean($("#live .working"));
  if (asking.working && !working) busy(false);
  if (!asking.working && !working && asking.busy && $("#live .broken")) busy(false);
  if (working && !asking.working) $("#live").scrollIntoView({ block: "start" });
  asking.working = working;
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-talk"] });
