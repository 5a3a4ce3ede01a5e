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
    from sitegen.media.captions import CaptionsUnknown, convert_captions, wrong_times

    converted: dict[Path, str] = {}
    problems = []
    for file in files:
        target = (folder or file.parent) / f"{file.stem}.vtt"
        if target == file:
            target = target.with_suffix(".converted.vtt")
        if target in converted:
            problems.append(f"{file}: another of these files becomes {target} too. Convert them one by one.")
            continue
        if target.exists():
            problems.append(f"{target} is there already. Move it away, or choose another --folder.")
            continue
        try:
            content = file.read_bytes()
            converted[target] = convert_captions(content)
            for told in wrong_times(content):
                click.echo(f"{file} {told}", err=True)
        except CaptionsUnknown as error:
            problems.append(f"{file}: {error}")
    if problems:
        refuse_command("\n".join(problems), as_json=as_json)
    for target, text in converted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    names = [str(target) for target in converted]
    say({"files": names}, "\n".join(names), as_json=as_json)
