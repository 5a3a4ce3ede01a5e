"""Templates of a school's own: what none of our pages would ever use is told, since it looks as if it worked."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

_BASE = "base/"


def useless_parts(themes: Sequence[Path]) -> Iterator[str]:
    """Own templates that stand for none of ours and are used by none, and blocks that the base does not have."""
    *own, base = themes
    environment = Environment(autoescape=True)
    trees = {path: _parsed(environment, path) for theme in own for path in (theme / "templates").rglob("*.html")}
    used = {name for tree in trees.values() if tree for name in _used(tree)}
    for path, tree in sorted(trees.items()):
        name = path.relative_to(next(theme for theme in own if theme in path.parents) / "templates").as_posix()
        if not (base / "templates" / name).is_file() and name not in used:
            yield f"{path}: no page uses this template. Give it the name of one of ours, or include it in one."
        for parent in _extended(tree) if tree else ():
            known = _blocks(environment, base / "templates", parent)
            for block in tree.find_all(nodes.Block) if tree else ():
                if block.name not in known:
                    names = ", ".join(sorted(known))
                    yield f"{path}:{block.lineno}: {parent} has no block “{block.name}”. It has: {names}."


def _parsed(environment: Environment, path: Path) -> nodes.Template | None:
    try:
        return environment.parse(path.read_text(encoding="utf-8"))
    except (TemplateSyntaxError, UnicodeDecodeError):
        return None  # rendering says what is wrong with it


def _named(tree: nodes.Template, kinds: type[nodes.Node] | tuple[type[nodes.Node], ...]) -> Iterator[str]:
    for node in tree.find_all(kinds):
        template = getattr(node, "template", None)
        if isinstance(template, nodes.Const) and isinstance(template.value, str):
            yield template.value


def _used(tree: nodes.Template) -> Iterator[str]:
    yield from _named(tree, (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))


def _extended(tree: nodes.Template) -> Iterator[str]:
    return (name for name in _named(tree, nodes.Extends) if name.startswith(_BASE))


def _blocks(environment: Environment, folder: Path, name: str) -> set[str]:
    """The blocks of one of our templates, and of what it extends."""
    path = folder / name.removeprefix(_BASE)
    tree = _parsed(environment, path) if path.is_file() else None
    if tree is None:
        return set()
    found = {block.name for block in tree.find_all(nodes.Block)}
    for parent in _named(tree, nodes.Extends):
        found |= _blocks(environment, folder, parent)
    return found
