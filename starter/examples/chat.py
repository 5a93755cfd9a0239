"""Small talk, help about the program, date arithmetic, and refusals of everything else."""

from __future__ import annotations

import calendar
import random

from edgellm.runtimes.base import Message
from starter.examples.example import Example, Source
from starter.examples.refusals import REFUSAL, request
from starter.grammar.meaning import NUMBERS

CAN = (
    "I can translate between English, French, German, Spanish and Chinese, answer questions about a text, summarize, "
    "classify, write a short story or a reply to a mail, and help you with this program."
)
WHO = "I am the small built-in model of EdgeLLM. I run on this computer, without the internet."
LARGER = (
    "Open the Models page and choose the model that fits this computer, or run `edgellm models`. "
    "A larger model knows much more than I do."
)
PRIVATE = "No. Everything stays on this computer. Nothing you write is sent anywhere."
TALK: tuple[tuple[str, str], ...] = (
    (
        "Hello!|Hello|hello|Hi|Hi!|hi|hi there|Hello there!|Hey|hey|Hey!|Hi there!|Good day!|Hello, how is it going?",
        "Hello! How can I help you?",
    ),
    ("Good morning!|Good morning|good morning", "Good morning! How can I help you?"),
    ("Good evening!|Good evening|good evening", "Good evening! How can I help you?"),
    (
        "How are you?|how are you|How are you today?|How are you doing?|Hello, how are you?|Hi, how are you?",
        "I am fine, thank you. How can I help you?",
    ),
    (
        "Thank you!|Thanks|Thanks!|thank you|Thank you very much.|Thank you very much!|Many thanks!|thx|Great, thanks!",
        "You are welcome!",
    ),
    ("Goodbye!|Bye|Bye!|bye|See you!|Good night!|Goodbye|See you tomorrow!|See you later!", "Goodbye! See you soon."),
    (
        "What can you do?|what can you do|What can you do for me?|What are you able to do?|Help|help|Help!|"
        "Can you help me?|How can you help me?|What do you know?|Show me what you can do.|What are your skills?|"
        "What tasks can you do?|I need help.|What can I ask you?|What can I do here?|What else can you do?",
        CAN,
    ),
    (
        "Who are you?|who are you|What are you?|What is your name?|what is your name|Are you a robot?|Are you human?|"
        "What model are you?|Which model is this?|Who am I talking to?|What is EdgeLLM?|What is this program?|"
        "Introduce yourself.|Tell me about yourself.|Are you ChatGPT?|Are you an AI?",
        WHO,
    ),
    (
        "How do I get a larger model?|How do I install a model?|How can I get a better model?|Where can I get a bigger model?|"
        "How do I install a larger model?|Which model should I use?|How do I download a model?|How do I add a model?|"
        "Can I use another model?|How do I change the model?|Where are the models?|Is there a better model?|"
        "I want a larger model.|how do i get a bigger model|Can you get smarter?",
        LARGER,
    ),
    (
        "Do you send my data anywhere?|Is my data safe?|Is this private?|Do you send my data to the internet?|"
        "Where does my data go?|Does my text leave this computer?|Are my chats private?|Do you store my data online?|"
        "Who can read my chats?|Is anything sent to a server?",
        PRIVATE,
    ),
    (
        "Do you need the internet?|Do I need the internet?|Does this work offline?|Can you work without the internet?|"
        "Do you work offline?|Are you online?|Can I use this without a network?|does it work offline",
        "No, I do not need the internet. I run on this computer.",
    ),
    (
        "How do I translate a text?|How can I translate?|How do I translate?|Can you translate?|Where can I translate a text?|"
        "Can you translate a text for me?|Which languages do you know?|What languages do you speak?|"
        "Which languages can you translate?|how do i translate",
        "Open the Translate page, or run `edgellm translate`. I know English, French, German, Spanish and Chinese.",
    ),
    (
        "How do I summarize a text?|How can I summarize?|Can you summarize a text?|Where can I summarize a text?|"
        "Can you summarize?|How do I get a summary?|how do i summarize",
        "Open the Summarize page, or run `edgellm summarize`, and paste your text.",
    ),
    (
        "How do I classify a text?|Can you classify a text?|Where can I classify a text?|Can you classify?|"
        "How can I sort texts?",
        "Open the Classify page, or run `edgellm classify`, with your text and your labels.",
    ),
    (
        "How do I ask about a document?|How can I ask a question about a text?|Can you answer questions about a text?|"
        "Can you read a document?|Where can I ask about a document?|How do I ask questions about a file?",
        "Open the Documents page, or run `edgellm ask`, with your text and your question.",
    ),
    (
        "Can you write a story?|How do I write a story?|Can you write stories?",
        "Yes. Write, for example: Write a short story about Anna and a dog.",
    ),
    (
        "Can you write a mail?|Can you reply to a mail?|How do I reply to a mail?",
        "Yes. Write, for example: Write a reply to this mail. Then paste the mail.",
    ),
    (
        "Why are you so small?|Why do you know so little?|Are you smart?|Why are you so dumb?|How big are you?|"
        "How many parameters do you have?|Are you a large model?",
        "I am a small model of a few million parameters, made to work at once on every computer. "
        "Larger models are on the Models page.",
    ),
    ("Nice to meet you!|Nice to meet you|Pleased to meet you.", "Nice to meet you too! How can I help you?"),
    ("Yes|No|OK|ok|Okay|yes|no|Good|Great!|Very good.|Well done!|Cool", "Good. How can I help you?"),
    ("Bonjour|Bonjour !|Salut|Bonjour, comment allez-vous ?|bonjour", "Bonjour ! Comment puis-je vous aider ?"),
    ("Hallo|Hallo!|Guten Tag|Guten Tag!|Guten Morgen!|hallo", "Hallo! Wie kann ich Ihnen helfen?"),
    ("Hola|¡Hola!|Hola!|Buenos días|¡Buenos días!|hola", "¡Hola! ¿Cómo puedo ayudarle?"),
    ("你好|你好！|您好|您好！|早上好！", "你好！我能帮您什么？"),
)
DAYS = list(calendar.day_name)
MONTHS = list(calendar.month_name)[1:]
LENGTHS = {"February": "28 days, and 29 in a leap year", "April": "30 days", "June": "30 days", "September": "30 days"}
LENGTHS["November"] = "30 days"


def _date(rng: random.Random) -> tuple[str, str]:
    """A question about days, months or hours, with its answer."""
    names, word = rng.choice(((DAYS, "day"), (MONTHS, "month")))
    at, steps = rng.randrange(len(names)), rng.randint(2, 6)
    name, later, before = names[at], names[(at + 1) % len(names)], names[at - 1]
    if rng.random() < 0.25:
        month = rng.choice(MONTHS)
        forms = (f"How many days does {month} have?", f"How many days are in {month}?", f"How long is {month}?")
        return rng.choice(forms), f"{month} has {LENGTHS.get(month, '31 days')}."
    if rng.random() < 0.3:
        count = NUMBERS["en"][steps]
        text = f"What {word} is it {count} {word}s after {name}?"
        if rng.random() < 0.5:
            text = f"Today is {name}. What day is it in {count} days?" if word == "day" else text
        return text, f"It is {names[(at + steps) % len(names)]}."
    if rng.random() < 0.5:
        forms = (
            f"What {word} comes after {name}?",
            f"Which {word} comes after {name}?",
            f"What {word} is after {name}?",
            f"Which {word} follows {name}?",
            f"What is the {word} after {name}?",
        )
        return rng.choice(forms), f"{later} comes after {name}."
    forms = (
        f"What {word} comes before {name}?",
        f"Which {word} comes before {name}?",
        f"What {word} is before {name}?",
    )
    return rng.choice(forms), f"{before} comes before {name}."


FIXED_DATES: tuple[tuple[str, str], ...] = (
    ("How many days are in a week?", "A week has 7 days."),
    ("How many days does a week have?", "A week has 7 days."),
    ("How many months are in a year?", "A year has 12 months."),
    ("How many days are in a year?", "A year has 365 days, and 366 in a leap year."),
    ("How many hours are in a day?", "A day has 24 hours."),
    ("How many minutes are in an hour?", "An hour has 60 minutes."),
    ("How many weeks are in a year?", "A year has 52 weeks."),
    ("How many seconds are in a minute?", "A minute has 60 seconds."),
)


def _talk(rng: random.Random) -> tuple[str, str]:
    prompts, answer = rng.choice(TALK)
    return rng.choice(prompts.split("|")), answer


def chat(source: Source) -> Example:
    """Small talk, help or a date, sometimes after an earlier turn."""
    rng = source.rng
    roll = rng.random()
    if roll < 0.62:
        job, (prompt, answer) = "chat talk", _talk(rng)
    elif roll < 0.95:
        job, (prompt, answer) = "chat date", _date(rng)
    else:
        job, (prompt, answer) = "chat date", rng.choice(FIXED_DATES)
    return Example(job, _history(rng, prompt), answer, prompt, (answer,))


def refusal(source: Source) -> Example:
    """A request from outside."""
    prompt = request(source.rng)
    return Example("refusal", _history(source.rng, prompt), REFUSAL, prompt, ("Models page",))


def _history(rng: random.Random, prompt: str) -> tuple[Message, ...]:
    """The prompt, sometimes after an earlier exchange."""
    turns = [Message("user", prompt)]
    if rng.random() < 0.2:
        before, answer = _talk(rng) if rng.random() < 0.6 else (request(rng), REFUSAL)
        turns = [Message("user", before), Message("assistant", answer), *turns]
    return tuple(turns)
