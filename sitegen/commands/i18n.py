"""i18n: the sentences of a school in another language."""

import click

from sitegen.commands.answers import as_json, count, in_school, refuse_command, refuse_faults, say
from sitegen.school import School

_SHOWN = 20  # sentences of a language
_WAY_ON = "Write the missing ones between the quotes after “msgstr”, in {file}; “coursewright i18n extract” adds them."


@click.command(epilog="Example: coursewright i18n extract fr")
@click.argument("language")
@in_school
@as_json
def extract(language: str, school: School, as_json: bool) -> None:
    """Write theme/locales/LANGUAGE.po with every sentence, to be translated. Translations in it are kept.

    It stands before what Coursewright itself has for the language, so that it may also hold a few sentences of your own
    wording and nothing else.
    """
    from sitegen.catalog.words import WordsUnreadable, is_language, words_of
    from sitegen.translations import find_sentences, updated

    if not is_language(language):
        refuse_command(f"“{language}” is no language; write one like fr or pt-BR.", as_json=as_json)
    path = school.own_theme / "locales" / f"{language}.po"
    sentences = find_sentences(school.themes, school.packages)
    try:
        content = updated(path, language, sentences, name="Sentences of the school", known=words_of(language).known)
    except WordsUnreadable as error:
        refuse_command(str(error), as_json=as_json)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    say(
        {"file": str(path), "sentences": len(sentences.places)},
        f"{path}: {count(len(sentences.places), 'sentence')}. {_WAY_ON.format(file=path)}",
        as_json=as_json,
    )


@click.command(epilog="Example: coursewright i18n check")
@in_school
@as_json
def check(school: School, as_json: bool) -> None:
    """Say, for each language of the school, which sentences have no translation, and where they are."""
    from datetime import UTC, datetime

    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.catalog.public import public_view
    from sitegen.load import load_school
    from sitegen.translations import find_sentences, missing_in

    try:
        public = public_view(load_school(school, now=datetime.now(UTC)).catalog)
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    sentences = find_sentences(school.themes, school.packages)
    missing = {
        words.language: [] if words.is_english else missing_in(words.known, sentences) for words in public.languages
    }
    lines = []
    for language, found in missing.items():
        lines.append(f"{language}: {len(sentences.places) - len(found)} of {count(len(sentences.places), 'sentence')}.")
        lines += [f"  {place}: “{sentence}”" for place, sentence in found[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"  and {len(found) - _SHOWN} more; --json lists them all.")
        if found:
            lines.append(_WAY_ON.format(file=school.own_theme / "locales" / f"{language}.po"))
    say({"missing": missing}, "\n".join(lines), as_json=as_json)
    if any(missing.values()):
        raise SystemExit(1)
