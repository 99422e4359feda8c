"""The endpoint through the real clients: what they send, and what they make of any failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from judge_samples import judge_trace, rank, run_in, verdict

from traceloc import Trace
from traceloc.contracts import Judge
from traceloc.errors import UsageError
from traceloc.judgement import JudgePrompt
from traceloc.judging import JudgeOptions, Panel, take_seats
from traceloc.judging.endpoint import ChatAnswer, ChatRequest, ChatServer, read_request
from traceloc.registry import Registry

pytest.importorskip("pydantic_ai")

GOOD = json.dumps(verdict(3))


class Script:
    """Answers in turn; the last one stays."""

    def __init__(self, *answers: ChatAnswer) -> None:
        self.answers = list(answers)
        self.requests: list[ChatRequest] = []

    def __call__(self, request: ChatRequest) -> ChatAnswer:
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def judge_through(server: ChatServer, trace: Trace, **more: object):
    options = JudgeOptions(("test-model",), url=server.url, **{"timeout": 20.0, **more})
    panel = Panel(options, take_seats(options, Registry()))
    return judge_trace(panel, trace, rank(trace)).judgement


def test_the_plugin_comes_through_the_door() -> None:
    judge = Registry(strict=True).get("judges", "pydantic_ai")
    assert isinstance(judge, Judge) and judge.name == "pydantic_ai"
    assert Registry().get("judges", "replay").name == "replay"


def test_a_verdict_over_http(trip: Trace) -> None:
    script = Script(ChatAnswer(GOOD))
    with ChatServer(script) as server:
        judgement = judge_through(server, trip)
    assert judgement is not None and judgement.verdict is not None
    assert judgement.verdict.step == 3
    (request,) = script.requests
    assert request.model == "test-model" and "decisive error step" in request.system
    assert (
        request.body[
            "max_completion_tokens" if "max_completion_tokens" in request.body else "max_tokens"
        ]
        == 1024
    )
    # The provider's own count replaces the bound.
    assert judgement.cost.input_tokens < judgement.cost.bound


@pytest.mark.parametrize("form", ["text", "schema", "tool"])
def test_every_form_of_answer(trip: Trace, form: str) -> None:
    script = Script(ChatAnswer(GOOD))
    with ChatServer(script) as server:
        judgement = judge_through(server, trip, form=form)
    assert judgement is not None and judgement.verdict is not None, judgement
    body = script.requests[0].body
    assert ("response_format" in body) == (form == "schema")
    assert ("tools" in body) == (form == "tool")
    if form == "schema":
        assert body["response_format"]["json_schema"]["schema"]["required"][0] == "claim"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ChatAnswer("slow down", status=429, retry_after=0.0), "rate_limit"),
        (ChatAnswer("oops", status=500), "server"),
        (ChatAnswer("busy", status=503), "server"),
        (ChatAnswer("who are you", status=401), "rejected"),
        (ChatAnswer("what", status=400), "rejected"),
        (ChatAnswer(GOOD[:20], finish="length"), "truncated"),
        (ChatAnswer(GOOD[:20]), "invalid"),
        (ChatAnswer("{}"), "invalid"),
        (ChatAnswer(""), "invalid"),
        (ChatAnswer(refusal="I will not."), "refusal"),
        (ChatAnswer("", finish="content_filter"), "refusal"),
        (ChatAnswer(GOOD, fault="drop"), "connection"),
        (ChatAnswer(GOOD, fault="cut"), "connection"),
    ],
)
def test_every_failure_is_a_record(trip: Trace, answer: ChatAnswer, kind: str) -> None:
    with ChatServer(Script(answer)) as server:
        judgement = judge_through(server, trip)
    assert judgement is not None and judgement.verdict is None
    assert judgement.failure is not None and judgement.failure.kind == kind, judgement.failure


def test_a_malformed_body_is_a_record(trip: Trace) -> None:
    with ChatServer(Script(ChatAnswer(GOOD, fault="malformed"))) as server:
        judgement = judge_through(server, trip)
    assert judgement is not None and judgement.failure is not None
    assert judgement.failure.kind in ("invalid", "connection", "server")


def test_a_slow_one_is_a_timeout(trip: Trace) -> None:
    with ChatServer(Script(ChatAnswer(GOOD, delay=1.0))) as server:
        judgement = judge_through(server, trip, timeout=0.3)
    assert judgement is not None and judgement.failure is not None
    assert judgement.failure.kind == "timeout"


def test_nobody_there_is_a_record(trip: Trace) -> None:
    server = ChatServer(Script(ChatAnswer(GOOD)))
    server.close()
    judgement = judge_through(server, trip)
    assert judgement is not None and judgement.failure is not None
    assert judgement.failure.kind == "connection"


def test_clients_make_no_retries_of_their_own(trip: Trace) -> None:
    script = Script(ChatAnswer("oops", status=500))
    with ChatServer(script) as server:
        judge_through(server, trip)
    assert len(script.requests) == 2


def test_after_a_failure_the_second_try_counts(trip: Trace) -> None:
    script = Script(ChatAnswer("slow down", status=429, retry_after=0.0), ChatAnswer(GOOD))
    with ChatServer(script) as server:
        judgement = judge_through(server, trip)
    assert judgement is not None and judgement.answered and judgement.cost.calls == 2


def test_other_peoples_keys_stay_at_home(trip: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    seen: list[str] = []
    with ChatServer(Script(ChatAnswer(GOOD))) as server:
        handler = server._server.RequestHandlerClass
        original = handler.do_POST

        def spy(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            original(self)

        monkeypatch.setattr(handler, "do_POST", spy)
        judge_through(server, trip)
        monkeypatch.setenv("TRACELOC_JUDGE_KEY", "local-key")
        judge_through(server, trip)
    assert "sk-of-somebody" not in seen[0]
    assert seen[1] == "Bearer local-key"


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("no-provider", None),
        ("nobody:model", None),
        ("openai:gpt", None),  # there is no key
        ("m", "ftp://host/v1"),
        ("m", "http://user:secret@host/v1"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(model: str, url: str | None) -> None:
    judge = Registry().get("judges", "pydantic_ai")
    prompt = JudgePrompt(model=model, url=url, system="s", user="u")
    with pytest.raises(UsageError) as caught:
        asyncio.run(judge.ask(prompt))
    assert caught.value.code == "TL603"
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError):
        take_seats(JudgeOptions((model,), url=url), Registry())
    # The cache answers without a key, a provider or a client.
    assert take_seats(JudgeOptions((model,), url=url, offline=True), Registry())


def test_streams_are_spoken_too() -> None:
    import openai

    script = Script(ChatAnswer(GOOD))
    with ChatServer(script) as server:
        client = openai.OpenAI(base_url=server.url, api_key="none", max_retries=0)
        stream = client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "which?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
        client.close()
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == GOOD
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens > 0


def test_a_stream_that_is_cut_is_noticed() -> None:
    import openai

    with ChatServer(Script(ChatAnswer(GOOD, fault="cut"))) as server:
        client = openai.OpenAI(base_url=server.url, api_key="none", max_retries=0)
        with pytest.raises(Exception, match=r"(?i)incomplete|peer|closed|connection"):
            list(
                client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "?"}], stream=True
                )
            )
        client.close()


def test_streamed_tool_calls_come_whole() -> None:
    import openai

    with ChatServer(Script(ChatAnswer(GOOD))) as server:
        client = openai.OpenAI(base_url=server.url, api_key="none", max_retries=0)
        tool = {"type": "function", "function": {"name": "answer", "parameters": {}}}
        chunks = list(
            client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "?"}],
                tools=[tool],
                tool_choice="required",
                stream=True,
            )
        )
        client.close()
    calls = [
        c for chunk in chunks if chunk.choices for c in chunk.choices[0].delta.tool_calls or []
    ]
    assert json.loads(calls[0].function.arguments)["step"] == 3


@pytest.mark.parametrize(
    "body", [None, [], {}, {"messages": 1}, {"messages": [1]}, {"messages": [{"content": [1]}]}]
)
def test_what_is_no_chat_is_refused(body: object) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        read_request(body)


def test_many_at_once(trip: Trace) -> None:
    answer: Callable[[ChatRequest], ChatAnswer] = lambda request: ChatAnswer(GOOD)  # noqa: E731
    with ChatServer(answer) as server:
        options = JudgeOptions(("m",), url=server.url, concurrency=16)
        panel = Panel(options, take_seats(options, Registry()))

        async def all_of_them():
            return await asyncio.gather(*(panel.judge(trip, rank(trip)) for _ in range(64)))

        found = run_in(panel, all_of_them())
    assert all(each.judgement is not None and each.judgement.answered for each in found)
