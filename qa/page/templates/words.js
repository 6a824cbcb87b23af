// What the scripts say, in the language of the page. Before all else: Gradio speaks the language of the browser.
"use strict";

const words = {{ told | tojson }};
const _ = (text, values = {}) => (words.texts[text] || text).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
const speak = (code) => { // from now on
  document.cookie = `{{ cookie }}=${code}; path=/; max-age=31536000; samesite=lax`;
};

document.documentElement.lang = words.lang;
Object.defineProperty(navigator, "language", { get: () => words.lang, configurable: true });
{
  const address = new URL(location);
  const asked = address.searchParams.get("lang");
  if (asked) {
    if (words.known.includes(asked)) speak(asked);
    address.searchParams.delete("lang");
    location.replace(address);
  }
}
