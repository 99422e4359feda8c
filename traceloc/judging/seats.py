"""Who judges: from the names of models to the plugins that answer for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from traceloc.judging.options import JudgeOptions

if TYPE_CHECKING:
    from traceloc.contracts import Judge
    from traceloc.registry import Registry

DEFAULT_JUDGE = "pydantic_ai"
"""Plugin of a model that names none."""


class Seat(NamedTuple):
    """A judge at the table."""

    model: str
    """As the user names it."""
    judge: Judge
    name: str
    """Of the model, without that of the plugin."""


def take_seats(options: JudgeOptions, registry: Registry) -> tuple[Seat, ...]:
    """The judges that the options name.

    ``PLUGIN:MODEL`` where there is a plugin of that name, else the model of the default plugin.

    Raises:
        PluginError: If a plugin is broken or missing, or what it builds on is not installed.
        UsageError: If a judge says that a model or the URL cannot be meant.
    """
    known = registry.names("judges")
    seats = []
    for model in options.models:
        plugin, mark, name = model.partition(":")
        if not mark or plugin not in known:
            plugin, name = DEFAULT_JUDGE, model
        judge = registry.get("judges", plugin)
        check = getattr(judge, "check", None)
        if check is not None and not options.offline:
            check(name, url=options.url)
        seats.append(Seat(model, judge, name))
    return tuple(seats)
