// The tabs Check and Archive: files that are opened or dropped, what is shown, added, removed and brought back.
"use strict";

{ // names of its own
  const RANK = ["unsupported", "partial", "supported", "verbatim"];
  const tellHub = (tab, detail) => // see LISTEN in place.py
    $(`#${tab}-hub [id^=html-]`).dispatchEvent(new CustomEvent("tell", { detail: { act: "show", ...detail } }));
  const made = (tag, textContent, className = "") => Object.assign(document.createElement(tag), { textContent, className });
  const form = (files) => [...files].reduce((body, file) => body.append("files", file) || body, new FormData());

  // Check: the draft's file, which verdicts are shown, in which order, and the same as a file.
  const fillDraft = async (file) => {
    try {
      $("#check textarea").value = (await (await fetched("/api/text", { method: "POST", body: form([file]) })).json()).text;
      tell(_("{name} was read", { name: file.name }));
    } catch (error) {
      tell(error.message);
    }
  };
  acts.stopCheck = () => tellHub("check", { act: "stop" });
  acts.saveChecked = (button) => {
    const section = button.closest("[data-told]");
    const told = JSON.parse(section.dataset.told);
    const where = (n) => $(`a.cite[data-n="${n}"]`, section).href;
    const cited = (said) => said.citations.map((n) => told.citations[n - 1]);
    const by = (c) => [c.outlet || _("unknown outlet"), c.published || _("undated"), ...(c.page ? [_("p. {n}", { n: c.page })] : [])].join(", ");
    const rows = told.sentences.flatMap((said) => (cited(said).length ? cited(said) : [null]).map((c) =>
      [said.support, said.text, said.why, ...(c ? [by(c), c.title, c.quote, where(c.n)] : ["", "", "", ""])]));
    const text = {
      json: () => JSON.stringify(told, null, 2),
      csv: () => csv([["support", "sentence", "why", "by", "title", "quote", "source"], ...rows]),
      md: () => told.sentences.map((said) => `- **${$(`.badge.${said.support}`, section).textContent}** ${plain(said.text)}${said.why && ` (${plain(said.why)})`}\n${cited(said)
        .map((c) => `  - “${plain(c.quote)}” [${plain(by(c))}](${where(c.n)})\n`).join("")}`).join(""),
    }[button.dataset.kind]();
    saveFile(`checked.${button.dataset.kind}`, text);
  };

  // Archive: the view is another for each address; what is reported above it goes with it, save an Undo.
  const report = (...lines) => $("#archive-report").replaceChildren(...lines);
  const show = (address, keep = true) => {
    const query = new URL(address, location).searchParams;
    [...query].forEach(([name, value]) => value || query.delete(name));
    show.last = `/?${query}`;
    if (keep) history.pushState(null, "", show.last);
    if (keep && !$("#archive-report button")) report();
    $("#archive-view .view")?.setAttribute("aria-busy", "true");
    tellHub("archive", Object.fromEntries(query));
  };

  // Sends articles and follows how far they are; what is rejected is named with its reason.
  const add = async (body, headers = {}) => {
    const bar = Object.assign(made("progress", ""), { max: 1, ariaLabel: _("Reading articles") });
    report(bar);
    try {
      const reply = await fetched("/api/articles", { method: "POST", body, headers: { ...headers, Accept: "text/event-stream" } });
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      let [held, done] = ["", null];
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const events = (held + part.value).split(/\r?\n\r?\n/);
        held = events.pop();
        for (const [, kind, data] of events.map((event) => /^event: ?(.*)\r?\ndata: ?(.*)$/m.exec(event)).filter(Boolean)) {
          const told = JSON.parse(data);
          if (kind === "error") throw new Error(told.error);
          if (kind === "progress") bar.value = told.share;
          else done = told;
        }
      }
      const forms = { added: _("{n} added"), changed: _("{n} changed"), unchanged: _("{n} unchanged") };
      const [counts, list] = [Object.keys(forms).filter((name) => done[name]), made("ul", "", "list")];
      list.append(...done.rejected.map((one) => made("li", _("Not added: {source}: {reason}", { source: one.source, reason: one.said || one.reason }))));
      if (done.late) list.append(made("li", done.late));
      report(made("p", counts.map((name) => forms[name].replace("{n}", done[name])).join(", ") || _("Nothing was added"), "notice"), list);
      return done.added + done.changed > 0;
    } catch (error) {
      report(made("p", error.message, "notice"));
      return false;
    } finally {
      show(show.last || location.href, false);
    }
  };
  const addText = ({ title, text, outlet, ...others }) => { // as entities: what looks like markup in a text is none
    const typed = (said) => (said || "").replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    const articles = [{ ...others, title: typed(title), text: typed(text), outlet: typed(outlet) }];
    return add(JSON.stringify({ articles }), { "Content-Type": "application/json" });
  };

  // What is removed is held here until the page is closed; its versions are added again in their order.
  acts.remove = async (button) => {
    const { id, title, versions } = button.dataset;
    const path = (key) => `/api/articles/${encodeURIComponent(key)}`;
    const held = [];
    const asked = versions > 1 ? _("Remove “{title}” with its {versions} versions?", { title, versions }) : _("Remove “{title}”?", { title });
    if (!await dialog(asked, _("Remove"))) return;
    try {
      for (let n = 1; n <= versions; n += 1) {
        const { text, outlet, published, url, authors, ...one } = await (await fetched(path(n < versions ? `${id}@${n}` : id))).json();
        held.push({ id, title: one.title, text, outlet, published, url, authors });
      }
      await fetched(path(id), { method: "DELETE" });
    } catch (error) {
      return report(made("p", error.message, "notice"));
    }
    const undo = made("button", _("Undo"));
    undo.onclick = async () => {
      for (const one of held) if (!await addText(one)) return;
      const days = versions > 1 ? [_("The days since when its versions stand may be others.")] : [];
      const back = _("“{title}” is back. The file that it was read from is not known any more.", { title });
      report(made("p", [back, ...days].join(" "), "notice"));
    };
    report(made("p", _("Removed “{title}”.", { title }), "notice bar"));
    $("#archive-report p").append(undo);
    show("/?tab=archive");
  };
  acts.adding = (button) => button.setAttribute("aria-expanded", String(!$("#adding").toggleAttribute("hidden")));

  document.addEventListener("click", (event) => {
    const link = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.target.closest("a[data-show]");
    if (link) [event.preventDefault(), show(link.href)];
  });
  document.addEventListener("submit", (event) => {
    const [given, kind] = [Object.fromEntries(new FormData(event.target)), event.target.dataset.sends];
    if (kind) event.preventDefault();
    if (kind === "check") tellHub("check", given);
    else if (kind === "filters") show(`/?${new URLSearchParams({ tab: "archive", ...given })}`);
    else if (kind === "address") add(JSON.stringify({ urls: [given.url] }), { "Content-Type": "application/json" });
    else if (kind) addText(Object.fromEntries(Object.entries(given).filter(([, value]) => value)));
  });
  document.addEventListener("change", ({ target: field }) => {
    const section = field.closest("[data-told]");
    if (field.matches("[data-draft]") && field.files.length) fillDraft(field.files[0]);
    else if (field.matches("[data-files]") && field.files.length) add(form(field.files));
    else if (field.matches("[data-sends=filters] :is(select, [type=date])")) field.form.requestSubmit();
    else if (field.name === "support" && section)
      all(".verdict", section).forEach((row) => { row.hidden = field.value && row.dataset.support !== field.value; });
    else if (field.matches("[data-order]")) {
      const place = ({ dataset }) => (field.value === "rank" ? RANK.indexOf(dataset.support) * 1e6 : 0) + Number(dataset.at);
      $("ol", section).append(...all(".verdict", section).sort((one, other) => place(one) - place(other)));
    }
  });
  onDrop("#check", (_, files) => fillDraft(files[0]));
  onDrop("#archive", (_, files) => $("#adding, [data-do=remove]") && add(form(files)));
  addEventListener("popstate", () => /[?&]tab=archive/i.test(location.search) && show(location.href, false));
  new MutationObserver(() => { // what was asked for has come
    const view = $("#archive-view .view");
    if (!view || view.dataset.at === show.at) return;
    view.removeAttribute("aria-busy");
    if (show.at) [scrollTo(0, 0), $("h1", view).focus({ preventScroll: true })];
    show.at = view.dataset.at;
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["data-at"] });
}
