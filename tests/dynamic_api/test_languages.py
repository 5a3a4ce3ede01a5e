"""What the service says, in the language of the school, and of the course that a message is about."""

from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.school import GIT, SOURDOUGH, School


async def speak(school: School, catalog: Catalog, language: str, **courses: str) -> None:
    """The catalogue in another language; and single courses in theirs."""
    changed = tuple(
        each.model_copy(update={"language": courses.get(each.slug.replace("-", "_"))}) for each in catalog.courses
    )
    site = catalog.site.model_copy(update={"language": language})
    manifest = compile_manifest(catalog.model_copy(update={"site": site, "courses": changed}))
    write_manifest(manifest, school.service.settings.manifest)
    await school.service.catalog.refresh()


async def test_refusals_and_answers_are_in_the_schools_language(school: School, catalog: Catalog) -> None:
    await speak(school, catalog, "de")
    async with school.browser() as ann, school.phone() as phone:
        wrong = await ann.post("/api/session", json={"email": "a@example.com", "password": "x"})
        assert wrong.json()["error"] == {
            "code": "invalid_credentials",
            "message": "E-Mail-Adresse oder Passwort ist falsch.",
        }
        empty = await ann.post("/api/session", json={"email": ""})
        assert empty.json()["error"]["details"]["password"] == ["Bitte fülle dieses Feld aus."]
        for _ in range(5):
            limited = await phone.post(
                "/auth/login", json={"email": "a@example.com", "password": "x", "device_name": "P"}
            )
        assert "Bitte versuche es in" in limited.json()["error"]["message"]
        sent = await ann.post("/api/sign-in-links", json={"email": "bob@example.com"})
        assert "30 Minuten" in sent.json()["message"]


async def test_messages_are_in_the_language_of_what_was_bought(school: School, catalog: Catalog) -> None:
    await speak(school, catalog, "en", git_for_writers="es", sourdough="de")
    async with school.browser() as ann, school.browser() as bob:
        await school.buy(ann, SOURDOUGH, "ann@example.com")
        await school.buy(bob, GIT, "bob@example.com")
        await school.settle()
    german, spanish = (school.mails(f"{name}@example.com")[0] for name in ("ann", "bob"))
    assert german["subject"].startswith("Dein Kurs: ")
    assert "49 €" in german["text"].replace("\xa0", " ")
    assert "Fragen?" in german["text"]
    assert '<html lang="de">' in german["html"]
    assert spanish["subject"].startswith("Tu curso: ")
    assert '<html lang="es">' in spanish["html"]


async def test_what_is_about_an_account_is_in_the_schools_language(school: School, catalog: Catalog) -> None:
    await speak(school, catalog, "es", sourdough="de")
    async with school.browser() as ann:
        await school.owner(ann)
        await school.settle()
    subjects = [mail["subject"] for mail in school.mails("ann@example.com")]
    assert any(subject.startswith("Te damos la bienvenida") for subject in subjects), subjects
    assert any(subject.startswith("Dein Kurs") for subject in subjects), subjects


async def test_a_language_without_a_catalogue_stays_english(school: School, catalog: Catalog) -> None:
    await speak(school, catalog, "fi")
    async with school.browser() as ann:
        answer = await ann.get("/api/library")
        assert answer.json()["error"]["message"] == "Please sign in to continue."
