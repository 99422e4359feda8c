"""Finds files, decides which loader reads them, and streams traces."""

from traceloc.loading.builder import TraceBuilder, parse_arguments
from traceloc.loading.head import Head
from traceloc.loading.reading import Ignored, Job, load, plan, read, run
from traceloc.loading.source import Source
from traceloc.loading.tool_errors import declared_error, exit_error, infer_error, result_error
from traceloc.loading.wording import text_of

__all__ = [
    "Head",
    "Ignored",
    "Job",
    "Source",
    "TraceBuilder",
    "declared_error",
    "exit_error",
    "infer_error",
    "load",
    "parse_arguments",
    "plan",
    "read",
    "result_error",
    "run",
    "text_of",
]
