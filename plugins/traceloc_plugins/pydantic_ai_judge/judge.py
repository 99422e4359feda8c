"""Asks any model that pydantic-ai reaches: one request, no tools, no retries of its own.

``openai:NAME``, ``anthropic:NAME``, ``google:NAME`` and so on, with the key that provider expects
in the environment. With a base URL any endpoint that speaks OpenAI's chat completions is meant; its
key, where it needs one, is ``TRACELOC_JUDGE_KEY``, so that no other key is ever sent there.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from traceloc.errors import PluginError, UsageError
from traceloc.judgement import FailureKind, JudgeError, JudgePrompt, JudgeReply

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model

KEY_VARIABLE = "TRACELOC_JUDGE_KEY"
OPENAI_PREFIXES = ("openai:", "openai-chat:")
TOOL = "answer"
CONNECTIONS = 64


class PydanticAIJudge:
    """One question, one answer, through ``pydantic_ai.direct``."""

    name = "pydantic_ai"
    api_version = 1
    version = "1"
    """Part of the cache's key: raised when the same prompt would be sent another way."""

    def __init__(self) -> None:
        # Clients keep their connections, and belong to the event loop they were first used in.
        self._models: dict[tuple[str, str | None, int], Model] = {}

    def choose_form(self, model: str, *, url: str | None) -> Literal["text", "schema", "tool"]:
        """How the model is best held to the form of the answer.

        Of an endpoint somebody runs himself only words are sure to be understood.
        """
        if url is not None:
            return "text"
        return "schema" if model.startswith((*OPENAI_PREFIXES, "google")) else "text"

    def check(self, model: str, *, url: str | None) -> None:
        """Make sure that there is such a provider, its client and its key.

        Raises:
            PluginError: ``TL609``, if pydantic-ai or the client of the provider is not installed.
            UsageError: ``TL603``, if the model or the URL cannot be meant.
        """
        _make_model(model, url)

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        """The answer to one prompt.

        Raises:
            JudgeError: If there is none.
            PluginError: ``TL609``, if pydantic-ai or the client of the provider is not installed.
            UsageError: ``TL603``, if the model or the URL cannot be meant.
        """
        try:
            from pydantic_ai.direct import model_request
            from pydantic_ai.exceptions import AgentRunError, UserError
            from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart
        except ImportError as error:
            raise _not_installed(error) from error
        model = await self._model(prompt)
        settings: Any = {"max_tokens": prompt.max_output, "max_retries": 0}
        if prompt.temperature is not None:
            settings["temperature"] = prompt.temperature
        request = ModelRequest(
            parts=[SystemPromptPart(content=prompt.system), UserPromptPart(content=prompt.user)]
        )
        try:
            with warnings.catch_warnings():
                # That a model takes no temperature, or has no known price, is no error of a trace.
                warnings.simplefilter("ignore")
                response = await model_request(
                    model,
                    [request],
                    model_settings=settings,
                    model_request_parameters=_parameters(prompt),
                    instrument=False,
                )
        except UserError as error:
            raise UsageError(
                f"judge {prompt.model!r}: {_first_line(error)}", code="TL603"
            ) from error
        except AgentRunError as error:
            raise _translate(error) from error
        return _reply(response)

    async def _model(self, prompt: JudgePrompt) -> Model:
        loop = id(asyncio.get_running_loop())
        key = (prompt.model, prompt.url, loop)
        if key not in self._models:
            self._models[key] = _make_model(prompt.model, prompt.url)
            await self._models[key].__aenter__()
        return self._models[key]

    async def close(self) -> None:
        """Close the connections of this event loop."""
        loop = id(asyncio.get_running_loop())
        for key in [key for key in self._models if key[2] == loop]:
            await self._models.pop(key).__aexit__(None, None, None)


def _make_model(name: str, url: str | None) -> Model:
    try:
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model
    except ImportError as error:
        raise _not_installed(error) from error
    try:
        if url is None:
            return infer_model(name)
        _check_url(url)
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        for prefix in OPENAI_PREFIXES:
            name = name.removeprefix(prefix)
        key = os.environ.get(KEY_VARIABLE) or "none"
        return OpenAIChatModel(name, provider=OpenAIProvider(base_url=url, api_key=key))
    except ImportError as error:
        raise _not_installed(error) from error
    except (UserError, ValueError) as error:
        raise UsageError(
            f"judge {name!r}: {_first_line(error)}",
            code="TL603",
            hint="name it as PROVIDER:MODEL, such as openai:gpt-5-mini, or give --judge-url",
        ) from error


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"judge-url is {url!r}; expected http://HOST/v1 or https://HOST/v1", code="TL603"
        )
    if parts.username or parts.password:
        raise UsageError(
            "judge-url holds a user or a password",
            code="TL603",
            hint=f"keys come from the environment: {KEY_VARIABLE}",
        )


def _parameters(prompt: JudgePrompt) -> Any:
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    schema: Any = prompt.answer_schema
    if prompt.form == "schema":
        definition = OutputObjectDefinition(json_schema=schema, name=TOOL, strict=True)
        return ModelRequestParameters(output_mode="native", output_object=definition)
    if prompt.form == "tool":
        tool = ToolDefinition(
            name=TOOL,
            parameters_json_schema=schema,
            description="Takes the answer.",
            kind="output",
        )
        return ModelRequestParameters(
            output_mode="tool", output_tools=[tool], allow_text_output=False
        )
    return ModelRequestParameters()


def _reply(response: ModelResponse) -> JudgeReply:
    from pydantic_ai.messages import TextPart, ToolCallPart

    texts = [part.content for part in response.parts if isinstance(part, TextPart)]
    texts += [p.args_as_json_str() for p in response.parts if isinstance(p, ToolCallPart)]
    reason = response.finish_reason
    finish: Literal["stop", "length", "refusal", "other"] = "stop"
    if reason == "length":
        finish = "length"
    elif reason == "content_filter" or (response.provider_details or {}).get("refusal"):
        finish = "refusal"
    usage = response.usage
    return JudgeReply(
        text="\n".join(texts),
        finish=finish,
        model=response.model_name,
        # Nothing at all is what a provider leaves out; no prompt has no token.
        input_tokens=usage.input_tokens or None,
        output_tokens=usage.output_tokens if usage.input_tokens else None,
        usd=_cost(response),
    )


def _cost(response: ModelResponse) -> float | None:
    """What pydantic-ai's table of prices says; ``None`` for a model it does not know."""
    try:
        return float(response.cost().total_price)
    except (LookupError, AssertionError, ValueError, TypeError, AttributeError):
        return None


def _translate(error: Exception) -> JudgeError:
    from pydantic_ai import exceptions as known

    kinds: list[tuple[type[Exception], FailureKind]] = [
        (known.ContentFilterError, "refusal"),
        (known.ModelTimeoutError, "timeout"),
        (known.ModelRequestTimeout, "timeout"),
        (known.ModelRateLimitError, "rate_limit"),
        (known.ModelRequestRejectedError, "rejected"),
        (known.ModelQuotaExceededError, "rejected"),
        (known.ModelUnavailableError, "server"),
        (known.ModelServerError, "server"),
        (known.ModelConnectionError, "connection"),
        (known.UnexpectedModelBehavior, "invalid"),
    ]
    kind: FailureKind = next((k for t, k in kinds if isinstance(error, t)), "server")
    status = getattr(error, "status_code", None)
    words = f"HTTP {status}" if status else type(error).__name__
    return JudgeError(kind, words, retry_after=getattr(error, "retry_after", None))


def _not_installed(error: ImportError) -> PluginError:
    return PluginError(
        f"judges need pydantic-ai and the client of the provider: {_first_line(error)}",
        code="TL609",
        hint="pip install 'traceloc[judge]' (or judge-anthropic, judge-google)",
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
