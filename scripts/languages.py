"""Writes the program's own catalogues of languages anew, or (`--check`) says what is missing in them.

.venv/bin/python -m scripts.languages [--check]
"""

import sys

from sitegen.catalog.words import LOCALES, languages_of_product, words_of
from sitegen.school import PACKAGE, base_theme
from sitegen.translations import find_sentences, missing_in, updated


def main() -> int:
    """Exit status 1 when a sentence has no translation, or a catalogue is not as it would be written."""
    sentences = find_sentences([base_theme()], [PACKAGE, PACKAGE.parent / "dynamic_api"])
    wrong = []
    for language in languages_of_product()[1:]:
        path = LOCALES / f"{language}.po"
        content = updated(path, language, sentences, name="Coursewright")
        if "--check" not in sys.argv:
            path.write_bytes(content)
        elif path.read_bytes() != content:
            wrong.append(f"{path} is not current. Run: .venv/bin/python -m scripts.languages")
        missing = missing_in(words_of(language).known, sentences)
        wrong += [f"{place}: “{sentence}” has no translation into {language}" for place, sentence in missing]
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
