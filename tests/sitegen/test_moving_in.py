"""`coursewright import folder`: texts of other programs become drafts without faults, and nothing is lost unsaid."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen.catalog.load import load_catalog
from sitegen.catalog.model import Course
from sitegen.catalog.slugs import id_for
from sitegen.commands.imports import folder as import_folder
from sitegen.moving_in.boxes import write_boxes
from sitegen.moving_in.dialects import convert
from sitegen.moving_in.mending import mend
from sitegen.moving_in.names import slug_for
from sitegen.moving_in.order import chapters, natural
from sitegen.texts.render import render
from tests.conftest import ROOT

PICTURE = (ROOT / "course_data/courses/sourdough/thumbnail.svg").read_bytes()


def converted(text: str, *, is_mdx: bool = False) -> tuple[str, list[str]]:
    lost: list[str] = []
    return write_boxes(convert(text, lambda _, what: lost.append(what), is_mdx=is_mdx)).strip("\n"), lost


DIALECTS = {
    "component": ("<Note>\n\nHot.\n\n</Note>", ":::note\n\n\nHot.\n\n\n:::"),
    "component with a heading": ("<DeepDive>\n\n#### Why? {/*why*/}\n\nBran.\n\n</DeepDive>",
                                 ":::details Why?\n\n\n\nBran.\n\n\n:::"),
    "nested": ("<Note>\na\n<Hint>\nb\n</Hint>\n</Note>",
               "::::note\n\na\n\n:::details Hint\n\nb\n\n:::\n\n\n::::"),
    "several colons": ("::::::: challenge\n## Try\n:::: solution\nx\n::::\n:::::::",
                       "::::challenge Try\n\n:::details\nx\n:::\n\n::::"),
    "material": ('!!! warning "Hot steam"\n\n    Stand back.\n\nOn.', ":::warning Hot steam\nStand back.\n:::\nOn."),
    "material, folded": ("??? note\n    x", ":::details Note\nx\n:::"),
    "gitbook": ('{% hint style="danger" %}\nHot.\n{% endhint %}', ":::caution\n\nHot.\n\n:::"),
    "hugo notice": ("{{% notice tip %}}\nx\n{{% /notice %}}", ":::tip\n\nx\n\n:::"),
    "hugo figure": ('{{< figure src="a.png" alt="Loaf" >}}', "![Loaf](a.png)"),
    "hugo youtube": ("{{< youtube dQw4w9WgXcQ >}}", "@[youtube](dQw4w9WgXcQ)"),
    "myst": ("```{warning} Hot\nx\n```", ":::warning Hot\n\nx\n\n:::"),
    "jekyll": ("{% raw %}a{% endraw %}\n{: .callout}", "a"),
    "heading id": ("## Title {/*its-id*/}", "## Title {#its-id}"),
    "comment": ("a {/* b */} c", "a  c"),
    "youtube frame": ('<iframe src="https://www.youtube.com/embed/dQw4w9WgXcQ"></iframe>', "@[youtube](dQw4w9WgXcQ)"),
    "attributes": ('<img src="a.png" style="x" className="big" alt="A"/>', '<img src="a.png" class="big" alt="A" />'),
    "tag over lines": ('<Image\n  alt="A"\n  src="a.png"\n/>', "![A](a.png)"),
    "table in a list": ("- a\n  | b | c |\n  | - | - |\n  | 1 | 2 |", "- a\n  | b | c |\n  | - | - |\n  | 1 | 2 |"),
    "docusaurus": (":::tip[My title]\nx\n:::", ":::tip My title\nx\n:::"),
    "tabs": ('<Tabs><TabItem label="Apple">\n\nx\n\n</TabItem></Tabs>', "**Apple**\n\n\n\nx"),
    "tabs of material": ('=== "Apple"\n\nx', "**Apple**\n\nx"),
    "obsidian comment": ("a %%secret\n\nmore%% b `%%code%%`", "a \n\n b `%%code%%`"),
    "wiki heading": ("[[Bread#Two parts|two]] [[#Here]] ![[a.png|300]]\n\n# Here",
                     "[two](<Bread.md#two-parts>) [Here](<#here>) ![a.png](<a.png>)\n\n# Here"),
    "required picture": ("<img src={require('./a.png').default} alt=\"A\"/>", '<img src="./a.png" alt="A" />'),
    "wiki": ("See [[Bread|bread]] and ![[loaf.png]].", "See [bread](<Bread.md>) and ![loaf.png](<loaf.png>)."),
    "file name of code": ("```js App.js active\nx\n```", '```js title="App.js"\nx\n```'),
    "terminal": ("<TerminalBlock>\n\nnpm i\n\n</TerminalBlock>", "```bash\n\n\n\nnpm i\n\n\n```"),
    "code stays": ("```\n<Note> {% x %} [[a]]\n```\n`<Note>`", "```\n<Note> {% x %} [[a]]\n```\n`<Note>`"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_forms_of_other_programs(name: str) -> None:
    written, expected = DIALECTS[name]
    found, lost = converted(written)
    assert [line for line in found.split("\n") if line.strip()] == [
        line for line in expected.split("\n") if line.strip()
    ]
    assert lost == []
    assert render(found).faults == []


def test_what_is_lost_is_told() -> None:
    text, lost = converted(
        '<script>alert(1)</script>\n--8<-- "part.md"\n<ChatRoom id="1"/>\n{% include x.html %}\n{{< tweet 1 >}}\n'
        '<custom-tag>x</custom-tag>\n<Diagram name="flow"/>'
    )
    assert lost == [
        "the element “<script>” and what is in it",
        "the template tag “{% include x.html %}”",
        "the shortcode “tweet”",
        "the component “<ChatRoom>”",
        "the element “<custom-tag>”, and not what is in it",
        "the picture “flow”",
        "the file part.md that was put in here",
    ]
    assert text.split() == ["x"]
    assert converted('import X from "./x"\n\n# A', is_mdx=True)[0].strip() == "# A"


ANY = st.text(st.sampled_from("a \n\t#*`<>/{}[]()!|:-=\"'%$~^\\&é日A1.;x"), max_size=80)
PIECES = st.lists(
    st.one_of(ANY, st.sampled_from([*(written for written, _ in DIALECTS.values()), "</Note>", ":::", "$a"])),
    max_size=6,
).map("\n".join)


@pytest.mark.parametrize("text", ["[[]]", "[[ ]]", "a `%%code%%`\né\na %%secret%%"])
def test_what_is_no_link_and_no_comment_stays(text: str) -> None:
    converted = convert(text, lambda _line, _what: None)
    assert converted == text.replace("%%secret%%", "")


@given(PIECES)
@settings(max_examples=300, deadline=None)
def test_any_text_is_converted_and_its_words_stay(text: str) -> None:
    written = write_boxes(convert(text, lambda _line, _what: None))
    mended = mend(written, "en", lambda _what: None)
    assert isinstance(mended, str)
    assert sorted(set("é日") & set(mended)) == sorted(set("é日") & set(text)) or "{" in text or "<" in text


@pytest.fixture
def school(tmp_path: Path) -> Path:
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / "school" / name)
    return tmp_path / "school"


def run(school: Path, source: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(import_folder, [str(source), "--school", str(school), "--json", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def course(school: Path, slug: str) -> Course:
    return next(each for each in load_catalog(school / "course_data").courses if each.slug == slug)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small folder with one of each."""
    folder = tmp_path / "texts"
    files = {
        "README.md": "# Baking\n\nAll about [bread](01-bread/01-flour.md).\n",
        "LICENSE.md": "# Licence\n",
        "01-bread/index.md": "---\ntitle: Bread\n---\n",
        "01-bread/01-flour.md": "---\ntitle: Flour\nsummary: White.\nteaching: 3\n---\n"
        "See [water](02-water.md#salt), [gone](nope.md), "
        "`[code](nope.md)`, [`code`](/site/x) and [up](../02-cake/eggs).\n\n![Loaf](../img/loaf.svg)\n\n"
        "![Missing](no.png){alt='A loaf'}\n",
        "01-bread/02-water.md": "# Water\n\n## Salt\n\n[flour](01-flour.html) ![away](https://x.example/a.png)\n",
        "01-bread/10-oven.md": "---\ntitle: Oven\ndraft: true\n---\nHot.\n",
        "02-cake/eggs.md": "Eggs\n====\n\n[no heading](../01-bread/02-water.md#pepper)\n",
        "02-cake/小麦粉.md": "# 小麦粉\n\n強力粉。\n",
        "02-cake/film.mp4": "x",
        ".obsidian/x.md": "no",
        "node_modules/y/z.md": "no",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "img").mkdir()
    (folder / "img/loaf.svg").write_bytes(PICTURE)
    (folder / "02-cake/latin.md").write_bytes("# Café\n\nété\n".encode("latin-1"))
    (folder / "02-cake/away.md").symlink_to("/etc/hostname")
    return folder


def test_a_folder_becomes_a_draft_without_faults(school: Path, source: Path) -> None:
    answer = json.loads(run(school, source, "--site", "https://baking.example").stdout)
    assert answer["faults"] == []
    made = course(school, "texts")
    assert (made.title, made.status) == ("Baking", "draft")
    assert [(module.title, [lesson.title for lesson in module.lessons]) for module in made.modules] == [
        ("Bread", ["Flour", "Water", "Oven"]), ("Cake", ["Eggs", "Café", "小麦粉"]),
    ]  # fmt: skip
    flour, water, oven = made.modules[0].lessons
    assert (flour.slug, flour.summary, oven.published) == ("flour", "White.", False)
    assert made.modules[1].lessons[2].slug == "小麦粉"
    assert 'href="/learn/texts/water/#salt"' in (flour.notes_html or "")
    assert 'href="/learn/texts/eggs/"' in (flour.notes_html or "")
    assert 'href="https://baking.example/site/x"' in (flour.notes_html or "")
    assert "gone, <code>[code](nope.md)</code>" in (flour.notes_html or "")
    assert "<em>Missing</em>" in (flour.notes_html or "")
    assert len(flour.files) == 1
    assert 'href="/learn/texts/flour/"' in (water.notes_html or "")
    assert 'href="/learn/texts/water/"' in (made.modules[1].lessons[0].notes_html or "")  # its heading is not there
    lost = [f"{each['file']}:{each['line']} {each['what']}" for each in answer["lost"]]
    for part in ("01-bread/01-flour.md:1 front matter: teaching", "01-bread/01-flour.md:6 the link “nope.md”",
                 "02-cake/latin.md:0 is not UTF-8", "02-cake/film.mp4:0 is a video", "02-cake/away.md:0 is a link",
                 "01-bread/02-water.md:5 the picture https://x.example/a.png, which is on another site"):  # fmt: skip
        assert any(each.startswith(part) for each in lost), (part, lost)
    report = (school / "build/import-texts.md").read_text()
    assert "  - line 6: the link “nope.md”, which leads nowhere in this folder" in report


def test_again_it_adds_what_is_new_and_overwrites_nothing(school: Path, source: Path) -> None:
    run(school, source)
    folder = school / "course_data/courses/texts"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = json.loads(run(school, source).stdout)
    assert (again["written"], again["kept"]) == ([], [])
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (folder / "notes/01-bread/01-flour.md").write_text("My own words.\n")
    yaml = folder / "course.yaml"
    yaml.write_text(yaml.read_text().replace("price: free", "price: free  # for now"))
    (source / "02-cake/sugar.md").write_text("# Sugar\n\nSweet.\n")
    third = json.loads(run(school, source).stdout)
    assert [Path(path).name for path in third["kept"]] == ["01-flour.md"]
    assert (folder / "notes/01-bread/01-flour.md").read_text() == "My own words.\n"
    assert "price: free  # for now" in yaml.read_text()
    assert [lesson.title for lesson in course(school, "texts").modules[1].lessons][-1] == "Sugar"


def test_folders_of_folders_are_several_courses(school: Path, tmp_path: Path) -> None:
    for top in ("html", "ruby"):
        for section in ("basics", "projects"):
            for name in ("one", "two"):
                path = tmp_path / "odin" / top / section / f"{name}.md"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"# {top} {section} {name}\n\n[other](../../html/basics/one.md)\n")
    answer = json.loads(run(school, tmp_path / "odin").stdout)
    assert [each["slug"] for each in answer["courses"]] == ["html", "ruby"]
    assert answer["faults"] == []
    ruby = course(school, "ruby")
    assert [module.title for module in ruby.modules] == ["Basics", "Projects"]
    assert 'href="/learn/html/one/"' in (ruby.modules[0].lessons[0].notes_html or "")
    assert [lesson.slug for lesson in course(school, "html").all_lessons] == [
        "one", "two", "html-projects-one", "html-projects-two",
    ]  # fmt: skip
    single = json.loads(run(school, tmp_path / "odin", "--one-course", "--slug", "all").stdout)
    assert [each["slug"] for each in single["courses"]] == ["all"]


def test_files_of_one_name_dates_of_toml_and_what_is_no_text(school: Path, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for ending in ("md", "mdx", "markdown"):
        (folder / f"same.{ending}").write_text(f"# {ending}\n\nThe {ending} text. ![[pic.svg]]\n")
    (folder / "toml.md").write_text('+++\ntitle = "Toml"\ndraft = true\ntags = ["a"]\n+++\nx\n')
    (folder / "binary.md").write_bytes(b"# x\0\1")
    (folder / "wide.md").write_bytes("# Wide\n\né\n".encode("utf-16"))
    (folder / "img").mkdir()
    (folder / "img" / "pic.svg").write_bytes(PICTURE)
    answer = json.loads(run(school, folder).stdout)
    assert answer["faults"] == []
    lessons = {lesson.title: lesson for lesson in course(school, "odd").all_lessons}
    assert set(lessons) == {"md", "mdx", "markdown", "Toml", "Wide"}
    for ending in ("md", "mdx", "markdown"):
        assert f"The {ending} text." in (lessons[ending].notes_html or "")
        assert len(lessons[ending].files) == 1
    assert not lessons["Toml"].published
    assert "binary.md" in [each["file"] for each in answer["lost"]]


def test_lessons_that_come_into_a_course_that_is_sold_are_hidden(school: Path, source: Path) -> None:
    run(school, source, "--slug", "sourdough")
    sold = course(school, "sourdough")
    assert sold.status == "published"
    assert not any(lesson.published for lesson in sold.all_lessons if lesson.title in ("Flour", "Water", "Eggs"))
    inside = run(school, school)
    assert inside.exit_code == 1
    assert "holds the school itself" in inside.output


def test_a_table_of_contents_orders_folders_and_their_texts(school: Path, tmp_path: Path) -> None:
    book = tmp_path / "book"
    for name in ("a/one", "a/two", "b/one", "b/two"):
        path = book / "docs" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    (book / "SUMMARY.md").write_text(
        "# Summary\n\n- [B two](docs/b/two.md)\n- [B one](<docs/b/one.md>)\n- [A two](docs/a/two.md)\n"
        "- [A](docs/a/one.md)\n"
    )
    run(school, book)
    titles = [[lesson.title for lesson in module.lessons] for module in course(school, "book").modules]
    assert titles == [["b/two", "b/one"], ["a/two", "a/one"]]


def test_an_empty_folder_is_told(school: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = run(school, tmp_path / "empty")
    assert answer.exit_code == 1
    assert "has no Markdown files" in answer.output


def test_a_page_that_lists_its_neighbours_begins_a_chapter() -> None:
    texts = {
        "a.md": "- [b](b)\n- [c](/learn/c)\n- [d](d.md)", "b.md": "", "c.md": "", "d.md": "",
        "x.md": "1. [y](y)\n2. [z](z)\n3. [w](w)", "y.md": "", "z.md": "", "w.md": "", "rest.md": "[a](a)",
    }  # fmt: skip
    assert chapters(sorted(texts), texts) == [
        (None, ["rest.md"]), ("a.md", ["a.md", "b.md", "c.md", "d.md"]), ("x.md", ["x.md", "y.md", "z.md", "w.md"]),
    ]  # fmt: skip
    assert sorted(["10-a", "2-b", "2-a"], key=natural) == ["2-a", "2-b", "10-a"]


def test_names_are_the_same_at_every_import() -> None:
    assert slug_for("01 - Hello, World!.md".removesuffix(".md")) == "hello-world"
    assert slug_for("2024") == "2024"
    assert slug_for("パン") == "パン"
    assert slug_for("!!!").startswith("part-")
    assert id_for("bread", "flour", key="a/b.md") == "bread-flour"
    assert id_for("bread", "小麦粉", key="a/b.md") == id_for("bread", "小麦粉", key="a/b.md")
    assert id_for("bread", "小麦粉", key="a/b.md") != id_for("bread", "小麦粉", key="a/c.md")
    assert id_for("パン").isascii()
    assert id_for("パン", "first") == f"{id_for('パン')}-{id_for('パン', 'first').rpartition('-')[2]}"
