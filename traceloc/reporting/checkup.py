"""What ``doctor`` found, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from traceloc.diagnosis import FileDiagnosis, FoundExtra, Package
from traceloc.quoting import say_count
from traceloc.registry import PluginInfo, singular
from traceloc.reporting.terminal import one_line, pasteable
from traceloc.settings import Resolved, name_of


def render_files(files: Iterable[FileDiagnosis]) -> Iterator[str]:
    """A block for each file: who reads it, what else it could have been, what is missing."""
    for file in files:
        yield f"{pasteable(file.path)}\n"
        if file.skipped is not None:
            yield _line("skipped", file.skipped)
            if file.runner_up is not None:
                yield _line("nearest", f"{file.runner_up} at {file.runner_up_score:.2f}")
        else:
            held = f"{say_count(file.traces, 'trace')}, {say_count(file.steps, 'step')}"
            held += f" from {say_count(file.files, 'file')}" if file.files > 1 else ""
            yield _line("read by", f"{file.loader} at {file.score:.2f}: {held}")
            runner = f"{file.runner_up} at {file.runner_up_score:.2f}" if file.runner_up else "none"
            yield _line("runner-up", runner)
        for error in file.sniff_errors:
            yield _line("sniffing", f"failed in {error}")
        for problem in file.problems[:5]:
            yield _line("problem", problem)
        if len(file.problems) > 5:
            yield _line("problem", f"and {len(file.problems) - 5} more")
        for note in file.notes:
            times = f" ({say_count(note.count, 'time')})" if note.count > 1 else ""
            yield _line(note.kind, note.message + times)
        for lack in file.missing:
            yield _line("lacks", f"{lack.cost}; {lack.capture}" if lack.capture else lack.cost)
        if file.page and any(lack.capture is None for lack in file.missing):
            yield _line("more", f"{file.page} says how to get the log out, and what it holds")
        yield "\n"


def render_environment(
    packages: Iterable[Package],
    extras: Iterable[FoundExtra],
    plugins: Iterable[PluginInfo],
    resolved: Resolved,
) -> Iterator[str]:
    """Versions, what more could be installed, broken plugins, and where each setting came from."""
    yield "environment\n"
    for package in packages:
        yield _line(package.name, package.version or "not installed")
    yield "\noptional\n"
    extras = list(extras)
    width = max((len(found.extra.name) for found in extras), default=0)
    for found in extras:
        yield f"  {found.extra.name:<{width}}  {_describe_extra(found)}\n"
    plugins = list(plugins)
    broken = [info for info in plugins if info.error]
    yield f"\nplugins\n  {len(plugins)} found, {len(broken)} broken\n"
    for info in broken:
        yield _line("broken", f"{singular(info.kind)} {info.qualified_name}: {info.error}")
    yield f"\nsettings ({one_line(resolved.file) if resolved.file else 'no settings file'})\n"
    width = max(len(name_of(each.name)) for each in fields(resolved.settings))
    for each in fields(resolved.settings):
        name = name_of(each.name)
        if name == "systems":
            continue
        value = getattr(resolved.settings, each.name)
        shown = "not set" if value is None else str(value).lower() if value is True else str(value)
        shown = "false" if value is False else shown
        yield f"  {name:<{width}}  {one_line(shown)}  ({one_line(resolved.origins[name])})\n"
    for rule in resolved.settings.systems.rules:
        yield f"  {'systems':<{width}}  {one_line(rule.pattern)} = {one_line(rule.system)}\n"
    for variable in resolved.unknown_variables:
        yield f"  {one_line(variable)} in the environment means nothing to traceloc\n"


def _describe_extra(found: FoundExtra) -> str:
    """``judges of Anthropic: pydantic-ai-slim 2.60; needs anthropic: pip install …``."""
    have = [f"{each.name} {each.version}" for each in found.packages if each.version is not None]
    lack = [each.name for each in found.packages if each.version is None]
    words = [", ".join(have)] if have else []
    if lack:
        words.append(
            f"{' and '.join(lack)} not installed: pip install 'traceloc[{found.extra.name}]'"
        )
    return one_line(f"{found.extra.gives} · {'; '.join(words)}")


def _line(label: str, text: str) -> str:
    return f"  {label:<10} {one_line(text)}\n"
