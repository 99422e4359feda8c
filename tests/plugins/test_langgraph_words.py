"""Plain words and calls are read the short way, and mean what they mean the long way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from traceloc_plugins.langgraph.messages import ROLES
from traceloc_plugins.langgraph.words import read_words
from traceloc_plugins.spans.messages import Message, read_messages

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "Calling tools:\n[{'id': 'c', 'function': {'name': 'look', 'arguments': {'at': 1}}}]",
            "ResponseFunctionToolCall(arguments='{}', call_id='c9', name='go')",
            ' [{"text": "packed"}]',
            "{'text': 'so', 'type': 'output_text'}",
            "Ready",
        ]
    ),
)
calls = st.lists(
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {
                "name": st.one_of(st.text(max_size=3), st.integers()),
                "args": st.one_of(st.just({"a": 1}), st.just({}), st.just('{"a": 1}'), st.none()),
                "id": st.one_of(st.none(), st.just(" c1 "), st.just("c2"), st.integers()),
                "type": st.sampled_from(["tool_call", None, "odd"]),
            },
            optional={"toolUse": st.just({"name": "used"}), "call_id": st.just("c3")},
        ),
    ),
    max_size=3,
)
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(ROLES)), "content": texts, "tool_calls": calls},
    optional={
        "tool_call_id": st.sampled_from([None, "", " c1", 7]),
        "status": st.sampled_from(["error", "success", None]),
    },
)


@given(messages)
def test_the_short_way_reads_what_the_long_way_does(fields):
    role = ROLES[fields["type"]]
    of_a_result = ("tool_call_id", "status") if role == "tool" else ()
    plain = {"role": role, "content": fields["content"], "tool_calls": fields["tool_calls"]}
    plain |= {key: fields.get(key) for key in of_a_result}
    assert read_words(fields) == (read_messages(plain) or [Message(role)])
