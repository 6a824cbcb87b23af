// Views: date pickers, the address of what is shown, views as files, question files that are dropped.
"use strict";

{ // names of its own
  const MOST = 500000; // bytes of a question file

  const tend = () => {
    for (const box of document.querySelectorAll(".date input:not([type=date])")) box.type = "date";
    const shown = [...document.querySelectorAll("[data-address]")].find((view) => view.offsetParent);
    if (shown && shown.dataset.address !== tend.last) setAddress(tabs.seen, tend.last = shown.dataset.address);
  };

  const save = (view, kind) => {
    const rows = [...view.querySelectorAll("[data-row]")].map((row) => {
      const link = row.querySelector("a.cite");
      const said = row.querySelector("q, p").textContent.trim().replace(/\s+/g, " ");
      return [row.dataset.row, said, link.textContent, row.querySelector("a.cite + span")?.textContent || "", link.href];
    });
    const points = rows.map(([head, said, where, , href]) => `- **${plain(head)}** ${plain(said)} ([${plain(where)}](${href}))`);
    const table = () => csv([["what", "text", "where", "title", "source"], ...rows]);
    const text = kind === "md" ? `# ${plain(document.title)}: ${location.search}\n\n${points.join("\n")}\n` : `${table()}\r\n`;
    saveFile(`${view.dataset.name}.${kind}`, text);
  };

  const take = async (file, zone) => {
    const box = zone.querySelector("textarea");
    const said = zone.querySelector("[role=status]");
    const much = file.size > MOST;
    const told = { name: file.name, size: file.size, most: MOST };
    said.textContent = much ? _("{name} has {size} bytes: at most {most} are read", told) : _("{name} was read", told);
    if (much) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, await file.text());
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  new MutationObserver(tend).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-save]");
    if (!link) return;
    event.preventDefault();
    save(link.closest("[data-name]"), link.dataset.save);
  });
  onDrop(".takes", (zone, files) => {
    const one = new DataTransfer();
    one.items.add(files[0]);
    zone.querySelector("input[type=file]").files = one.files; // which then shows its name
    take(files[0], zone);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".takes input[type=file]") && event.target.files.length)
      take(event.target.files[0], event.target.closest(".takes"));
  });
}
