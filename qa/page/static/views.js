// Views: date pickers, the address of what is shown, question files that are dropped.
"use strict";

{ // names of its own
  const MOST = 500000; // bytes of a question file

  function tend() {
    for (const box of document.querySelectorAll(".date input:not([type=date])")) box.type = "date";
    const shown = [...document.querySelectorAll("[data-address]")].find((view) => view.offsetParent);
    if (shown && shown.dataset.address !== tend.last) {
      tend.last = shown.dataset.address;
      history.replaceState(null, "", tend.last);
    }
  }

  async function take(file, zone) {
    const box = zone.querySelector("textarea");
    const said = zone.querySelector("[role=status]");
    if (file.size > MOST) {
      said.textContent = `${file.name} has ${file.size.toLocaleString()} bytes: at most ${MOST.toLocaleString()} are read`;
      return;
    }
    said.textContent = `${file.name} was read`;
    const text = await file.text();
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  new MutationObserver(tend).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("dragover", (event) => event.target.closest?.(".takes") && event.preventDefault());
  document.addEventListener("drop", (event) => {
    const zone = event.target.closest?.(".takes");
    if (!zone || !event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files[0], zone);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".takes input[type=file]") && event.target.files.length)
      take(event.target.files[0], event.target.closest(".takes"));
  });
}
