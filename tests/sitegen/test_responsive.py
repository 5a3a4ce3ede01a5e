"""Public pictures fit the screen they are shown on, tell nothing of where they were taken, and are made once."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from sitegen.build import build_site
from sitegen.school import School
from sitegen.site.responsive import Responsive, tone_rules
from tests.conftest import ROOT

COURSE = "course_data/courses/sourdough"
CAMERA = "A camera with a name"


def photo(path: Path, size: tuple[int, int] = (1800, 1200), *, turned: bool = True, mode: str = "RGB") -> None:
    """As a phone stores one: lying, with its camera in it."""
    about = Image.Exif()
    about[0x010F] = CAMERA
    if turned:
        about[0x0112] = 6
    picture = Image.linear_gradient("L").resize(size).convert(mode)
    picture.save(path, exif=about, quality=95)


@pytest.fixture
def school(tmp_path: Path) -> School:
    """The sample with a photo on a course's card."""
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    photo(tmp_path / COURSE / "photo.jpg")
    path = tmp_path / COURSE / "course.yaml"
    path.write_text(re.sub(r"(?m)^thumbnail: .*", "thumbnail: photo.jpg", path.read_text()))
    return School(tmp_path)


def test_a_page_offers_every_size_and_a_build_makes_each_once(school: School) -> None:
    build_site(school)
    page = (school.output / "courses/sourdough/index.html").read_text()
    [offered] = re.findall(r'<picture class="tone-888">(.*?)</picture>', page)
    for kind in ("avif", "webp"):
        [srcset] = re.findall(rf'<source type="image/{kind}" srcset="([^"]+)" sizes="[^"]+">', offered)
        for address, width in re.findall(r"(\S+) (\d+)w", srcset):
            with Image.open(school.output / address.lstrip("/")) as picture:
                assert picture.size == (int(width), round(int(width) * 1800 / 1200)), "upright, as it was taken"
                assert picture.format == kind.upper()
        assert [width for _, width in re.findall(r"(\S+) (\d+)w", srcset)] == ["480", "960", "1200"]
    assert offered.endswith('width="1280" height="720" fetchpriority="high">')
    assert "sizes" not in offered.rpartition("<img")[2]
    assert '<picture class="tone-888">' in (school.output / "courses/index.html").read_text()
    made = {path: path.stat().st_mtime_ns for path in school.variants.rglob("*") if path.is_file()}
    shutil.rmtree(school.output)
    build_site(school)
    assert {path: path.stat().st_mtime_ns for path in school.variants.rglob("*") if path.is_file()} == made
    again = School(school.root / "again")
    for name in ("course_data", "content"):
        shutil.copytree(school.root / name, again.root / name)
    build_site(again)
    for path in again.variants.rglob("*.*"):
        assert path.read_bytes() == (school.variants / path.relative_to(again.variants)).read_bytes(), path.name


@pytest.mark.parametrize(
    ("colours", "tone"),
    [
        (((250, 200, 90), (250, 200, 90)), "fc4"),
        (((0, 0, 0), (90, 80, 70)), "444"),
        (((250, 200, 90), (250, 200, 90, 0)), ""),
    ],
)
def test_a_colour_stands_where_a_picture_will_be(tmp_path: Path, colours: Sequence[tuple[int, ...]], tone: str) -> None:
    left, right = colours
    picture = Image.new("RGB" if len(right) == 3 else "RGBA", (600, 400), left)
    picture.paste(right, (300, 0, 600, 400))
    picture.save(tmp_path / "one.png")
    address = "/assets/pictures/1/one.png"
    responsive = Responsive({address: tmp_path / "one.png"}, tmp_path / "kept")
    page = responsive.in_page(f'<img src="{address}" alt="">')
    assert page.startswith(f'<picture class="tone-{tone}"><source' if tone else "<picture><source")
    ink = "000" if tone == "fc4" else "fff"
    assert not tone or f".tone-{tone} img {{ background: #{tone}; color: #{ink}; }}\n" in tone_rules()


def test_nothing_public_tells_of_the_camera(school: School) -> None:
    build_site(school)
    for path in school.output.rglob("photo*"):
        assert CAMERA.encode() not in path.read_bytes(), path.name
        with Image.open(path) as picture:
            assert not picture.getexif()
            assert picture.height > picture.width


def test_the_size_of_a_lying_photo_is_that_of_the_upright_one(school: School) -> None:
    text = school.root / "content/pages/about.md"
    photo(text.with_name("there.jpg"))
    text.write_text(text.read_text() + "\n\n![There](there.jpg)\n")
    build_site(school)
    assert 'width="1200" height="1800"' in (school.output / "about/index.html").read_text()


def responsive(tmp_path: Path, path: Path) -> Responsive:
    return Responsive({f"/assets/pictures/{path.name}": path}, tmp_path / "kept")


def test_small_and_moving_pictures_and_drawings_stay_as_they_are(tmp_path: Path) -> None:
    moving, small, drawing = tmp_path / "a.webp", tmp_path / "b.png", tmp_path / "c.svg"
    frames = [Image.new("RGB", (900, 600), colour) for colour in ("red", "blue")]
    frames[0].save(moving, save_all=True, append_images=frames[1:])
    Image.new("RGB", (8, 8)).save(small)
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"/>')
    for path in (moving, small, drawing):
        made = responsive(tmp_path, path)
        address = f"/assets/pictures/{path.name}"
        assert made.variants(address) == ()
        assert made.original(address) == path.read_bytes()
        html = f'<p><img src="{address}" alt=""></p>'
        assert made.in_page(html) == html


@pytest.mark.parametrize(
    ("mode", "ending"), [("CMYK", ".jpg"), ("L", ".jpg"), ("P", ".png"), ("RGBA", ".png"), ("LA", ".png")]
)
def test_every_kind_of_pixels_is_shown(tmp_path: Path, mode: str, ending: str) -> None:
    path = tmp_path / f"photo{ending}"
    photo(path, (1000, 700), turned=False, mode=mode)
    made = responsive(tmp_path, path)
    address = f"/assets/pictures/{path.name}"
    for each in made.variants(address):
        kept = tmp_path / "one"
        kept.write_bytes(each.content)
        with Image.open(kept) as picture:
            assert picture.mode in ("RGB", "RGBA")
            assert picture.width == each.width
    assert CAMERA.encode() not in made.original(address)


def test_a_picture_of_elsewhere_is_left_alone(tmp_path: Path) -> None:
    html = '<img src="/assets/pictures/nobody.png" alt=""><img src="/api/pictures/1/x.png">'
    assert Responsive({}, tmp_path).in_page(html) == html
