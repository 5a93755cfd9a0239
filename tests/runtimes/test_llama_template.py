"""Chat templates render as transformers renders them, and cannot take the engine's time or memory."""

from __future__ import annotations

import time

import psutil
import pytest

from edgellm.errors import ModelUnsupported, UsageError
from edgellm.runtimes.base import Message
from edgellm.runtimes.template import ChatTemplate

TALK = (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bye"))

LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
NAMESPACE = (
    "{%- set ns = namespace(last=-1, text='') -%}{%- for m in messages[::-1] -%}{%- if m.role == 'user' and ns.last < 0"
    " -%}{%- set ns.last = (messages|length - 1) - loop.index0 -%}{%- endif -%}{%- endfor -%}"
    "{%- for m in messages %}{% if loop.first %}{% continue %}{% endif %}\n"
    "  {%- set ns.text = ns.text ~ m.content.split('</think>')[-1].lstrip('\\n') ~ ';' %}\n"
    "{%- endfor %}\n{{- ns.text }}{{ ns.last }}{% generation %}G{% endgeneration %}{{ {'a': '<é>'} | tojson }}"
)


def reference(template: str) -> str:
    utils = pytest.importorskip("transformers.utils.chat_template_utils")
    talk = [{"role": message.role, "content": message.content} for message in TALK]
    compiled = utils._compile_jinja_template(template)
    return str(compiled.render(messages=talk, add_generation_prompt=True, bos_token="<s>", tools=None, documents=None))


@pytest.mark.parametrize("source", [LLAMA3, NAMESPACE], ids=["llama3", "namespace"])
def test_renders_as_transformers_does(source: str) -> None:
    assert ChatTemplate(source, {"bos_token": "<s>"}).render(TALK) == reference(source)


def test_default_is_chatml() -> None:
    template = ChatTemplate("")
    assert template.builtin
    assert template.render([Message("user", "Hi")]) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_system_message_moves_into_the_first_question_where_there_is_no_system_role() -> None:
    text = ChatTemplate(GEMMA, {"bos_token": "<bos>"}).render(TALK)
    assert text.startswith("<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n")


def test_a_refused_conversation_is_the_persons_error() -> None:
    with pytest.raises(UsageError, match="must alternate"):
        ChatTemplate(GEMMA, {"bos_token": ""}).render([Message("user", "a"), Message("user", "b")])


@pytest.mark.parametrize("source", ["{% for %}", "{{ x | nosuchfilter }}", "{% include 'x' %}", "x" * 1_000_001])
def test_broken_templates_are_typed_errors(source: str) -> None:
    with pytest.raises(ModelUnsupported):
        ChatTemplate(source).render(TALK)


def test_deep_nesting_is_a_typed_error() -> None:
    with pytest.raises(ModelUnsupported):
        ChatTemplate("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}").render(TALK)


ENDLESS = [
    "{% for a in range(10**9) %}x{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{{ 10 ** (10 ** 10) }}",
]
HUGE = [
    "{{ 'a' * 10**10 }}",
    "{{ 10**10 * 'a' }}",
    "{{ [1] * 10**10 }}",
    "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s|replace('a', ns.s) %}{% endfor %}",
    "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s.replace('a', ns.s) %}{% endfor %}",
    "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s]|join(ns.s) %}{% endfor %}",
    "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s.join([ns.s, ns.s]) %}{% endfor %}",
    "{% set ns = namespace(n=9) %}{% for i in range(60) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '{:9999999999}'.format(1) }}",
    "{{ '{:{}}'.format(1, 10**9) }}",
    "{{ 'a'.ljust(10**10) }}",
    "{{ 'a' | center(10**10) }}",
    "{{ 'a\nb' | indent('c' * 7000000) }}",
    "{{ strftime_now('%9999999999d') }}",
    "{{ range(99999) | list | batch(10**10, 1) | list }}",
    "{% set s = 'a' * 7000000 %}{% set ns = namespace(l=[]) %}{% for i in range(99999) %}"
    "{% set ns.l = ns.l + [s[1:]] %}{% endfor %}",
    "{% for i in range(99999) %}{{ 'a' * 1000000 }}{% endfor %}",
]


@pytest.mark.parametrize("source", ENDLESS + HUGE)
def test_endless_and_huge_templates_end_in_bounds(source: str) -> None:
    before = psutil.Process().memory_info().rss
    started = time.monotonic()
    with pytest.raises(ModelUnsupported):
        ChatTemplate(source, seconds=0.4).render(TALK)
    assert time.monotonic() - started < 10
    assert psutil.Process().memory_info().rss - before < 1 << 30


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ messages.append(1) }}",
    "{{ raise_exception.__globals__ }}",
    "{{ (messages|first)|attr('__class__') }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_a_template_reaches_nothing_of_python(source: str) -> None:
    try:
        text = ChatTemplate(source).render(TALK)
    except ModelUnsupported:
        return
    assert text == ""
