// The sentences of these modules in the language of the page. English is in the modules themselves; the build writes
// `words/<language>.js` for the other languages that a school uses: sentence → its translation.
export const language = document.documentElement.lang;
const file = document.documentElement.dataset.words;
const { default: known } = file ? await import(`./words/${file}.js`) : { default: {} };

// “{name}” in a sentence is replaced by the value of that name.
export function t(sentence, values = {}) {
  return (known[sentence] ?? sentence).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const day = (moment) => new Date(moment).toLocaleDateString(language, { dateStyle: "long" });
