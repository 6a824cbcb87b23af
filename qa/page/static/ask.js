// The Ask tab: the box with its filters, conversations, what can be done with an answer. Uses what page.js has.
"use strict";

const asking = { talk: "", filters: {}, busy: false, waiting: null, redo: null }; // redo: the turn that is asked anew
const WORDS = { // what a chip says of a filter
  outlets: "{one}", authors: _("by {one}"), languages: _("in: {one}"), since: _("from {one}"), until: _("until {one}"), as_of: _("as of {one}"),
  llm: _("by {one}"), strict: _("only what is supported"),
};
const form = () => $("#composer");
const question = () => $("#question");
const service = (act, detail = {}) => // see LISTEN in ask.py
  $("#form [id^=html-]").dispatchEvent(new CustomEvent("tell", { detail: { act, ...detail } }));

// The box, and the filters: those that are set are chips, and can be set from a link, or as an earlier question had them.
function set(filters) {
  asking.filters = Object.fromEntries(Object.entries(filters).filter(([name, value]) => name in WORDS && value && String(value)));
  for (const field of all("[name]", form())) {
    if (field.type === "checkbox") field.checked = Boolean(asking.filters[field.name]);
    else field.value = asking.filters[field.name] || "";
  }
  const chips = Object.entries(asking.filters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  $(".chips", form()).replaceChildren(...chips.map(([name, one]) => {
    const date = /^\d{4}-\d\d-\d\d$/.test(one) && new Date(one).toLocaleDateString(words.lang === "en" ? "en-GB" : words.lang, { dateStyle: "medium", timeZone: "UTC" });
    const chip = document.createElement("li");
    chip.innerHTML = `<span></span><button type="button" data-do="drop">×</button>`;
    const named = $(`[data-many=${name}] option[value="${CSS.escape(one)}"]`, form())?.textContent; // of a language
    $("span", chip).textContent = WORDS[name].replace("{one}", () => date || named || one);
    Object.assign(chip.lastChild.dataset, { name, value: one });
    chip.lastChild.setAttribute("aria-label", _("Remove {what}", { what: $("span", chip).textContent }));
    return chip;
  }));
}

function fill({ question: text = "", ...filters }, redo = null) {
  asking.redo = redo;
  question().value = text;
  $(".redo", form()).hidden = redo === null;
  $(".redo b", form()).textContent = redo ?? "";
  set(filters);
}

function showFilters(shown) {
  $("#filters").hidden = !shown;
  $("[data-do=filters]").setAttribute("aria-expanded", String(shown));
  if (shown) $("#filters input").focus();
}

function send(asked = { question: question().value.trim(), ...asking.filters }, n = asking.redo) {
  if (!asked.question) return question().focus();
  if (asking.busy) { // it waits for the one before
    asking.waiting = [asked, n];
    return tell(_("This is asked when the answer is complete"));
  }
  fill(asking.filters);
  $(".lost", form()).hidden = true;
  showFilters(false);
  pass();
  busy(true);
  asking.sent = [asked, n];
  if (sessionStorage.lost) sessionStorage.lost = JSON.stringify(asking.sent); // the page may yet be loaded anew
  asking.fresh = true;
  asking.left = false;
  return service("ask", { asked, n, talk: asking.talk });
}

function busy(now) {
  asking.busy = now;
  clearInterval(asking.beat);
  if (now) asking.beat = setInterval(() => fetch("/page/page.js", { method: "HEAD", cache: "no-store" }).catch(lost), 1500);
  form().classList.toggle("busy", now);
  const next = asking.waiting;
  if (now || !next) return;
  asking.waiting = null;
  send(...next);
}

const pass = () => $("#live .turn")?.setAttribute("data-old", ""); // what is there is not what was asked for last

function end(said) { // without the service
  for (const turn of all("#live .working")) {
    turn.classList.remove("working");
    turn.removeAttribute("aria-busy");
    $(".read", turn).textContent = said;
  }
  busy(false);
}

function lost() { // the service is gone: what was asked stands in the box again, also when the page is loaded anew
  if (!asking.busy) return;
  asking.waiting = null;
  end(_("No answer"));
  sessionStorage.lost = JSON.stringify(asking.sent);
  if (!question().value) fill(...asking.sent);
  $(".lost", form()).hidden = false;
}

function goTo(talk) {
  asking.talk = talk;
  setAddress("ask", talk ? `/?talk=${encodeURIComponent(talk)}` : "/");
}

function load(talk) { // who opens another conversation is worked for no more in this one
  asking.waiting = null;
  pass();
  busy(false);
  fill({});
  closeSource(false);
  $("#ask").classList.remove("drawn");
  goTo(talk);
  asking.left = true;
  service("open", { talk });
  question().focus({ preventScroll: true });
  scrollTo(0, 0);
}

function fromAddress() { // /?q=…&outlet=…&since=… fills the box and asks
  const given = new URLSearchParams(location.search);
  asking.talk = $("#talk").dataset.talk;
  if (!given.get("q") || given.get("tab") || asking.talk) return;
  const lists = { outlets: given.getAll("outlet"), authors: given.getAll("author"), languages: given.getAll("language") };
  fill({ ...Object.fromEntries(given), ...lists, question: given.get("q") });
  send();
}

const turnOf = (button) => button.closest(".turn");
const askedIn = (turn) => [JSON.parse(turn.dataset.asked), Number(turn.dataset.n)];

function linkTo(turn) {
  const { question: q, outlets = [], authors = [], languages = [], ...rest } = askedIn(turn)[0];
  const lists = Object.entries({ outlet: outlets, author: authors, language: languages })
    .flatMap(([name, held]) => [held].flat().map((one) => [name, one]));
  return `${location.origin}/?${new URLSearchParams([["q", q], ...lists, ...Object.entries(rest)])}`;
}

async function copy(text, told) {
  const box = document.body.appendChild(document.createElement("textarea"));
  box.value = text;
  box.select();
  document.execCommand("copy"); // over plain http, where there is no navigator.clipboard
  box.remove();
  await navigator.clipboard?.writeText(text).catch(() => null);
  tell(told);
}

function rate(turn, pressed) { // the thumb that is up, if any, and what is wrong
  for (const name of ["good", "bad"]) $(`[data-do=${name}]`, turn).setAttribute("aria-pressed", String(name === pressed));
  $(".faults", turn).hidden = pressed !== "bad";
  const faults = pressed === "bad" ? all("[data-do=fault]:checked", turn).map((box) => box.value) : [];
  service("rate", { talk: asking.talk, n: Number(turn.dataset.n), good: pressed ? pressed === "good" : null, faults });
  tell(pressed ? _("Thank you, this is kept") : _("Taken back"));
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
    shown.onclose = () => done(shown.returnValue && ($("#asked-name").value.trim() || "yes"));
  });
}

const thumb = (button) => rate(turnOf(button), button.getAttribute("aria-pressed") === "true" ? null : button.dataset.do);
const edit = (button) => {
  fill(...askedIn(turnOf(button)));
  question().focus();
};
Object.assign(acts, {
  edit, good: thumb, bad: thumb,
  send: () => send(), new: () => load(""), anew: () => fill(asking.filters), talk: (link) => load(link.dataset.talk),
  filters: () => showFilters($("#filters").hidden),
  change: (button) => { edit(button); showFilters(true); },
  drop: (button) => {
    const { name, value } = button.dataset;
    const left = [asking.filters[name]].flat().filter((one) => String(one) !== value);
    set({ ...asking.filters, [name]: left.length ? left : "" });
    question().focus();
  },
  stop: () => {
    service("stop");
    asking.waiting = null;
    end(_("Stopped. What was written stays.")); // until the service shows what it keeps
  },
  drawer: () => $("#ask").classList.toggle("drawn"),
  example: (button) => send({ question: button.dataset.question, ...asking.filters }, null),
  retry: (button) => send(...askedIn(turnOf(button))),
  copy: async (button) => copy(await (await fetch(button.dataset.file)).text(), _("Answer copied")),
  translate: async (button) => { // what it says is the model's: it is marked as that, and not as a quotation
    const { text, language } = button.dataset;
    const told = document.createElement("div");
    button.replaceWith(told);
    told.className = "quiet";
    told.setAttribute("role", "status");
    told.textContent = _("Translating…");
    try {
      const body = JSON.stringify({ text, language });
      const made = await (await fetched("/api/translate", { method: "POST", body, headers: { "Content-Type": "application/json" } })).json();
      const said = Object.assign(document.createElement("p"), { className: "translation", lang: made.language, textContent: made.text });
      told.textContent = _("Translated by {model}, not checked", { model: made.llm });
      told.before(said);
    } catch (error) {
      told.textContent = error.message;
      told.after(button);
    }
  },
  link: (button) => copy(linkTo(turnOf(button)), _("Link copied")),
  rename: async (button) => {
    const link = $("a", button.closest("li"));
    const title = await dialog(_("Rename this conversation"), _("Rename"), link.textContent);
    if (title) service("rename", { talk: link.dataset.talk, title, open: asking.talk });
  },
  delete: async (button) => {
    const link = $("a", button.closest("li"));
    if (!await dialog(_("Delete “{title}”?", { title: link.textContent }), _("Delete"))) return;
    service("delete", { talk: link.dataset.talk, open: asking.talk });
    if (link.dataset.talk === asking.talk) [pass(), goTo("")];
  },
});

function take(field) { // what is set in a field of the filters
  const many = field.dataset.many;
  const value = field.type === "checkbox" ? field.checked : field.value.trim();
  if (many && value) set({ ...asking.filters, [many]: [...new Set([...(asking.filters[many] || []), value])] });
  else if (!many) set({ ...asking.filters, [field.name]: value || "" });
  if (many) field.value = "";
}

document.addEventListener("change", ({ target }) => {
  if (target.dataset.do === "doubts") turnOf(target).classList.toggle("doubtful", target.checked);
  else if (target.dataset.do === "fault") rate(turnOf(target), "bad");
  else if (target.closest("#filters")) take(target);
});
document.addEventListener("input", ({ target }) => {
  // What is chosen of a list is an input, too: then, the value is one of them.
  if (all("option", target.list || document.createElement("p")).some((one) => one.value === target.value)) take(target);
  if (target.id !== "search") return;
  clearTimeout(asking.timer);
  asking.timer = setTimeout(() => service("search", { search: target.value, talk: asking.talk }), 150);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
  if (event.target.dataset?.many) take(event.target);
  else if (event.target.id === "question") send();
  else return;
  event.preventDefault();
});

// What the service sends tells by itself which conversation it is and whether the answer is complete.
new MutationObserver(() => {
  if (!form() || !$("#talk")) return;
  if (!asking.ready) {
    asking.ready = true;
    fromAddress();
    if (sessionStorage.lost) [fill(...JSON.parse(sessionStorage.lost)), asking.opened = $("#talk")];
    sessionStorage.removeItem("lost");
  }
  const talk = $("#talk").dataset.talk;
  if (asking.left) $("#live .turn:not([data-old])")?.remove(); // the end of the answer that was left
  const turn = $("#live .turn:not([data-old])"); // what comes takes the attribute away
  const last = all(".turn", $("#talk")).at(-1);
  if (last && !asking.busy && !turn && $("#talk") !== asking.opened) set(JSON.parse(last.dataset.given)); // as it went on
  asking.opened = $("#talk");
  if ((asking.busy || turn) && talk && talk !== asking.talk) goTo(talk);
  if (asking.busy && turn && !turn.matches(".working")) [sessionStorage.removeItem("lost"), busy(false)];
  if (turn && asking.fresh) last ? $("#live").scrollIntoView() : scrollTo(0, 0); // a first one has its head above it
  if (turn) asking.fresh = false;
  if (!asking.busy && turn?.matches(".working") && turn !== asking.late) { // it came after it had been stopped
    asking.late = turn;
    service("stop");
  }
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-talk"] });
