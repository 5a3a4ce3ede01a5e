"""`coursewright`: every command by name. A command's module is imported only when the command runs."""

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from dynamic_api import __version__

if TYPE_CHECKING:
    from dynamic_api.commands.publishing import Counted
    from sitegen.catalog.manifest import Manifest

Table = Mapping[str, tuple[str, str]]

# Name → where the command is, and the line that `--help` shows. sitegen's commands are named, not imported: the
# service must not depend on the site generator.
COMMANDS: Table = {
    "init": ("sitegen.commands.school:init", "Make a school."),
    "new": ("sitegen.commands.school:new", "Make a course, module, lesson, page or post."),
    "import": ("", "Courses, and people who bought them, from elsewhere."),
    "mv": ("sitegen.commands.school:mv", "Give a course or a lesson another address."),
    "fmt": ("sitegen.commands.fmt:fmt", "Write course files in one form."),
    "check": ("sitegen.commands.check:check", "Check course files, pages and posts."),
    "build": ("sitegen.commands.build:build", "Build the site and the service's catalogue."),
    "diff": ("sitegen.commands.diff:diff", "Say what publishing would change, and for how many people."),
    "publish": ("sitegen.commands.publish:publish", "Check, build, ask, and publish."),
    "rollback": ("sitegen.commands.publish:rollback", "Publish the release before again."),
    "verify": ("sitegen.commands.publish:verify", "Compare a live site with a build."),
    "preview": ("{demo}.preview.command:preview", "See a school while writing it."),
    "demo": ("{demo}.demo:demo", "Rehearse a school, with stand-ins for the partners."),
    "due": ("sitegen.commands.due:due", "List what is published later."),
    "upgrade": ("sitegen.commands.school:upgrade", "Say what another version changed and refuses."),
    "i18n": ("", "Sentences of pages and messages in other languages."),
    "docs": ("sitegen.commands.docs:docs", "Show a document."),
    "schema": ("sitegen.commands.docs:schema", "Write the schemas that editors use."),
    "settings": ("dynamic_api.commands.settings:settings", "Show the settings, with what each is."),
    "config": ("dynamic_api.commands.doctor:config", "Check the settings."),
    "doctor": ("dynamic_api.commands.doctor:doctor", "Ask everything that has to work, from the database to Stripe."),
    "host": ("dynamic_api.commands.host:host", "Write the configuration of Caddy, nginx or a host."),
    "migrate": ("dynamic_api.commands.serve:migrate", "Update the database to the current schema."),
    "backup": ("dynamic_api.commands.backup:backup", "Write all that cannot be made again, while the service runs."),
    "drill": ("dynamic_api.commands.backup:drill", "Try the newest backup out."),
    "db": ("", "Copy the database into another, such as PostgreSQL."),
    "export": ("dynamic_api.commands.archive:export", "Write the whole school in open formats: the way out."),
    "restore": ("dynamic_api.commands.backup:restore", "Fill an empty database from a backup."),
    "serve": ("dynamic_api.commands.serve:serve", "Run the service."),
    "work": ("dynamic_api.commands.serve:work", "Run jobs in a process of their own."),
    "share": ("dynamic_api.commands.share:share", "Print a link to a draft, for an editor."),
    "why": ("dynamic_api.commands.access:why", "Explain why somebody can watch a course, or cannot."),
    "grant": ("dynamic_api.commands.access:grant", "Give somebody a course."),
    "revoke": ("dynamic_api.commands.access:revoke", "Take a course away from somebody."),
    "move": ("dynamic_api.commands.access:move", "Move purchases to another account."),
    "readdress": ("dynamic_api.commands.access:readdress", "Send a waiting gift to another address."),
    "courses": ("dynamic_api.commands.courses:courses", "List the courses, with how many people own each."),
    "orders": ("dynamic_api.commands.orders:orders", "List the newest orders."),
    "learners": ("dynamic_api.commands.orders:learners", "List accounts and their courses."),
    "refund": ("dynamic_api.commands.orders:refund", "Give the money of an order back."),
    "reconcile": ("dynamic_api.commands.orders:reconcile", "Compare our orders with Stripe."),
    "events": ("dynamic_api.commands.events:events", "List Stripe's events: handled, failed, waiting."),
    "replay": ("dynamic_api.commands.events:replay", "Handle stored events again; harmless."),
    "jobs": ("dynamic_api.commands.events:jobs", "List jobs, or retry those that failed."),
    "messages": ("dynamic_api.commands.messages:messages", "Show every email we send, filled with samples."),
    "captions": ("", "Captions: convert those of other programs, upload those of the course files."),
    "reviews": ("", "What learners say of courses, into the course files."),
    "newsletter": ("dynamic_api.commands.voices:newsletter", "Write who wants news, as CSV."),
    "media": ("", "Videos and files: put them up, check them, ask for captions."),
}
GROUPS: Mapping[str, Table] = {
    "import": {
        "folder": ("sitegen.commands.imports:folder", "Make draft courses of a folder of Markdown and pictures."),
        "csv": ("sitegen.commands.imports:csv", "Make a draft course of a table of lessons."),
        "udemy": ("sitegen.commands.imports:udemy", "Make a draft of a course's saved page at Udemy."),
        "teachable": ("sitegen.commands.imports:teachable", "The same for Teachable."),
        "thinkific": ("sitegen.commands.imports:thinkific", "The same for Thinkific."),
        "podia": ("sitegen.commands.imports:podia", "The same for Podia."),
        "archive": ("dynamic_api.commands.archive:take_in", "Set a whole school up from `coursewright export`."),
        "customers": ("dynamic_api.commands.imports:customers", "Import buyers from a table of another platform."),
        "laravel": ("dynamic_api.commands.imports:laravel", "Import people and orders of the Laravel platform."),
    },
    "reviews": {
        "pull": ("sitegen.commands.reviews:pull", "Write what learners said into the course files, as pending."),
        "import": ("sitegen.commands.reviews:take_in_reviews", "Add reviews of another platform from a table."),
    },
    "i18n": {
        "extract": ("sitegen.commands.i18n:extract", "Write every sentence into a file, to be translated."),
        "check": ("sitegen.commands.i18n:check", "Say which sentences have no translation."),
    },
    "db": {
        "copy": ("dynamic_api.commands.database:copy", "Copy every row into another database, and compare."),
    },
    "captions": {
        "upload": ("dynamic_api.commands.captions:upload", "Upload the course files' captions to Stream's player."),
        "convert": ("sitegen.commands.captions:convert", "Convert SubRip, SBV and others to WebVTT."),
    },
    "media": {
        "check": ("sitegen.commands.media:check", "Check every video and file of the courses."),
        "upload": ("sitegen.commands.media:upload", "Put a video or a file up, and write its lines."),
        "transcode": ("sitegen.commands.media:transcode", "Make a video without Cloudflare, and put it into storage."),
        "captions": ("sitegen.commands.media:captions", "Ask Stream for captions, and fetch them to be corrected."),
    },
}


class LazyGroup(click.Group):
    """Lists commands from a table, and imports one when it is run."""

    def __init__(self, *arguments: Any, table: Table = COMMANDS, **options: Any) -> None:  # Any: click's own parameters
        super().__init__(*arguments, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the table's order."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported."""
        if cmd_name not in self._table:
            return None
        if self._table is COMMANDS and cmd_name in GROUPS:
            return group(cmd_name)
        # The demo is a package of its own, which has another name in a checkout.
        demo = "coursewright_demo" if importlib.util.find_spec("coursewright_demo") else "scripts"
        module, _, name = self._table[cmd_name][0].format(demo=demo).partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table itself: `--help` imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._table.items()])


def group(name: str) -> click.Group:
    """A command that has commands of its own."""
    example = next(iter(GROUPS[name]))
    return LazyGroup(name, table=GROUPS[name], help=COMMANDS[name][1], epilog=f"Example: coursewright {name} {example}")


@click.group(cls=LazyGroup, epilog="Every command explains itself: coursewright COMMAND --help")
@click.version_option(__version__, prog_name="coursewright")
@click.pass_context
def coursewright(context: click.Context) -> None:
    """Publish video courses from a git repository."""
    context.obj = LazyInstallation()


class LazyInstallation:
    """The running service, as sitegen's commands know it. It is imported when one asks."""

    def count_people(self) -> "Counted":
        """How many people own each course."""
        from dynamic_api.commands.publishing import count_people

        return count_people()

    def prepare(self, manifest: "Manifest") -> str:
        """Make sure that a catalogue can be sold and used."""
        from dynamic_api.commands.publishing import prepare

        return prepare(manifest)

    def look_for_upgrade(self) -> list[str]:
        """What this version says of the settings and the database of this machine."""
        from dynamic_api.commands.publishing import look_for_upgrade

        return look_for_upgrade()

    def reviews(self) -> "Sequence[Mapping[str, object]]":
        """What learners wrote of courses."""
        from dynamic_api.commands.voices import pull_reviews

        return pull_reviews()

    @property
    def media(self) -> ModuleType:
        """What the commands about videos and files ask of Stream and of the file store."""
        from dynamic_api.commands import media

        return media


def main() -> None:
    """Exit status 0: done. 1: something must be fixed first, and a sentence says what. 2: wrong usage."""
    coursewright(prog_name="coursewright")


if __name__ == "__main__":
    main()
