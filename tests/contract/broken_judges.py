"""Judges with one flaw each, by the check that must find it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from flaws import Flaws
from sound_plugins import Echo

from traceloc.judgement import JudgeError, JudgePrompt, JudgeReply

FLAWS = Flaws()


@FLAWS.of("interface")
class Unasked(Echo):
    async def ask(self) -> JudgeReply:  # type: ignore[override]
        return JudgeReply(text="")


@FLAWS.of("ask_can_wait")
class Blocking(Echo):
    def ask(self, prompt: JudgePrompt) -> Any:  # type: ignore[override]
        return super().ask(prompt)


@FLAWS.of("samples_are_answered")
class Refusing(Echo):
    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        raise JudgeError("server", "not today")


@FLAWS.of("hostile_words_are_only_words")
class Formatting(Echo):
    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        prompt.user.format()
        return await super().ask(prompt)


@FLAWS.of("questions_do_not_mix")
class Sharing(Echo):
    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        self.prompt = prompt
        await asyncio.sleep(0)
        return await super().ask(self.prompt)


@FLAWS.of("silence_is_told")
class Elsewhere(Echo):
    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        return JudgeReply(text="from somewhere else")


@FLAWS.of("prompt_is_unchanged")
class Adding(Echo):
    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        reply = await super().ask(prompt)
        prompt.answer_schema[f"x{len(prompt.answer_schema)}"] = True
        return reply


@FLAWS.of("same_again")
class Tired(Echo):
    asked = 0

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        type(self).asked += 1
        return JudgeReply(text=str(self.asked))


@FLAWS.of("leaves_the_process_alone")
class Rolling(Echo):
    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        random.random()
        return await super().ask(prompt)
