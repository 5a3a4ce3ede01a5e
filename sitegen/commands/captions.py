"""captions convert: captions of other programs as WebVTT."""

from pathlib import Path

import click

from sitegen.commands.answers import as_json, refuse_command, say


@click.command(epilog="Example: coursewright captions convert lesson.srt")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to write, unless beside each.")
@as_json
def convert(files: tuple[Path, ...], folder: Path | None, as_json: bool) -> None:
    """SubRip, YouTube's SBV and rolling captions, and WebVTT with short times → WebVTT. Overwrites nothing."""
    from sitegen.media.captions import CaptionsUnknown, convert_captions

    converted: dict[Path, str] = {}
    problems = []
    for file in files:
        target = (folder or file.parent) / f"{file.stem}.vtt"
        if target == file:
            target = target.with_suffix(".converted.vtt")
        if target.exists() or target in converted:
            problems.append(f"{target} is there already. Move it away, or choose another --folder.")
            continue
        try:
            converted[target] = convert_captions(file.read_bytes())
        except CaptionsUnknown as error:
            problems.append(f"{file}: {error}")
    if problems:
        refuse_command("\n".join(problems), as_json=as_json)
    for target, text in converted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    names = [str(target) for target in converted]
    say({"files": names}, "\n".join(names), as_json=as_json)
