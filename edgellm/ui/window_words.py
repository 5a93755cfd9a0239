"""What to do in the window, for hints that name a command or an option of the command line: one visible table."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from edgellm.ui.sentences import Sentences

_MODELS = "The Models page shows what is installed."
_OTHER_NAME = "Choose another name."
_OTHER_FILE = "Choose another file."
_OTHER_MODEL = "Choose another model at the top of the window."
_REMOVE = "Remove it first, on the Models page."
_ANEW = "Remove it and get it again, on the Models page."
_REPAIR = "Repair it on the Models page."
_SEARCH = "Search for one on the Models page."
_UPDATE = "Press “Update” on the Documents page."
_MEASURE = "Measure this computer on the Models page."
_KEY = "Keep a key for it in the settings, under “Server key”."
_ADDRESS = "Check the address of the server in the settings."

WORDS = MappingProxyType(
    {
        # models
        "Run: edgellm models": _MODELS,
        "Look: edgellm models list": _MODELS,
        "To see what is installed: edgellm models": _MODELS,
        "To see what is installed, run: edgellm models": _MODELS,
        "To see all of them, run: edgellm models list": _MODELS,
        "To see what is installed, run: edgellm models list --all": _MODELS,
        "Did you mean {}? Run: edgellm models": "Did you mean {}?",
        "Did you mean {}? Run: edgellm models list --all": "Did you mean {}?",
        "Check the path, or run: edgellm models": "Check the path, or choose a model on the Models page.",
        "Run: edgellm models pull {}": "Get it on the Models page: {}",
        "Try: edgellm models pull {}": "Look it up on the Models page: {}",
        "Name a file: edgellm models pull OWNER/NAME/FILE": "Name a file too: OWNER/NAME/FILE",
        "To go on: edgellm models pull {}": "Go on with it on the Models page.",
        "Remove it first: edgellm models remove {}": _REMOVE,
        "Remove that one first: edgellm models remove {}": _REMOVE,
        "Remove it and get it again: edgellm models pull": _ANEW,
        "Remove the model and get it again: edgellm models remove {}": _ANEW,
        "Import it again from where you have it, or remove it and pull it.": (
            "Add it again from where you have it, or remove it and get it again, on the Models page."
        ),
        "Make room, such as with: edgellm models remove NAME --now": "Make room: remove models that you do not need.",
        "Run: edgellm models verify {}": "Check it on the Models page.",
        "Run: edgellm models repair {}": _REPAIR,
        "Check the name, or look for it: edgellm models search TEXT": "Check the name, or search on the Models page.",
        "Ask whoever made it for the fingerprint that edgellm models bundle showed.": (
            "Ask whoever made it for the fingerprint that was shown then."
        ),
        "Give all {} groups of {} digits, in quotes, as edgellm models bundle shows them.": (
            "Give all {} groups of {} digits, as they were shown when the bundle was made."
        ),
        "Give the whole address, as edgellm models share shows it.": (
            "Give the whole address that the other computer shows."
        ),
        "Check the address, as edgellm models share shows it.": "Check the address that the other computer shows.",
        "{}, or change the setting model_folders.": "{}, or change “Folders for models” in the settings.",
        "Add it to the setting model_folders first.": "Add it to “Folders for models” in the settings first.",
        "Choose another name, or replace it with --force.": _OTHER_NAME,
        "Accept it on {}/{}, then keep a token here: {}": (
            "Accept it on {0}/{1}. A token of your account there is also needed; a terminal keeps it."
        ),
        "Accept its license on {}/{}, or keep another token: {}": (
            "Accept its license on {0}/{1}, with the account whose token is kept here."
        ),
        "Keep one here: {}": "A terminal keeps the token of your account there.",
        "Accept the model's conditions on its page, then store your token: edgellm models token": (
            "Accept the model's conditions on its page. A token of your account is also needed; a terminal keeps it."
        ),
        "To allow connections, set offline = false in the settings.": (
            "The lock at the foot of the window allows connections."
        ),
        # engine and runtimes
        "Load it again to try once more (in a terminal: name it with --model), or choose another model.": (
            "Load it again to try once more, or choose another model."
        ),
        "Run: edgellm doctor, to see what it can use.": (
            "The device details at the foot of the window show what it can use."
        ),
        "Its speed is not known yet. Run: edgellm doctor --measure": (
            "Its speed is not known yet: this computer has not been measured."
        ),
        "at {} too large to try before edgellm doctor --measure has run": (
            "at {} too large to try before this computer was measured"
        ),
        "assumed as for an ordinary laptop, until edgellm doctor --measure has run": (
            "assumed for an ordinary laptop, until this computer is measured"
        ),
        "Choose another with --model NAME.": _OTHER_MODEL,
        "Choose a model with --model.": _OTHER_MODEL,
        # servers
        "Leave it out, and run: edgellm remote --set-key": "Leave it out, and keep the key under “Server key”.",
        "Keep the key for it: {}": _KEY,
        "Keep another one: {}": _KEY,
        "See what it has: edgellm remote": "The model list at the top of the window shows what it has.",
        "It has: {}. Choose one with --model remote:NAME": "It has: {}. Choose one at the top of the window.",
        "Set remote_address to where the server itself is.": "In the settings, give the address of the server itself.",
        "Set remote_address to an address such as http://127.0.0.1:8080": (
            "In the settings, give an address such as http://127.0.0.1:8080"
        ),
        "Check that the server runs, and remote_address in the settings.": (
            "Check that the server runs, and its address in the settings."
        ),
        "Check that the server at remote_address is one for chat.": _ADDRESS,
        "Check remote_address in the settings: it ends in the port, or in the path of the API, such as /v1.": (
            "Check the address in the settings: it ends in the port, or in the path of the API, such as /v1."
        ),
        "Shorten the text, or ask for a shorter answer with --max-tokens.": (
            "Shorten the text, or set a smaller “Longest answer” in the settings."
        ),
        # documents
        "See which there are: edgellm documents list": "Choose another one in the list.",
        "{} of {} passages are embedded. Run: edgellm documents update": (
            "{} of {} passages can be searched by meaning; the others are prepared while the page is open."
        ),
        "The passages are not embedded yet. Run: edgellm documents update": (
            "The search by meaning is not ready yet: words alone are searched."
        ),
        "{} was changed since the passages were embedded. Run: edgellm documents update": (
            "{} was changed since the passages were prepared; they are prepared again."
        ),
        "Run: edgellm documents update": _UPDATE,
        # tasks
        "For example: --unsure 0.6": "For example: 0.6",
        "For example: --samples {}": "For example: {}",
        "Give the same table, labels and model to go on, or add --force to begin anew.": (
            "Give the same table, labels and model to go on."
        ),
        "Choose another file with -o, or add --force to replace it.": _OTHER_FILE,
        "Choose another file with -o.": _OTHER_FILE,
        "Choose another folder with -o.": "Choose another folder.",
        "Choose another folder with -o, or give the same task, options and model to go on.": "Choose another folder.",
        "Name a file with -o.": "Name a file.",
        "Check the folder and the free space; the same command goes on.": (
            "Check the folder and the free space; “Go on” continues there."
        ),
        "Free some space, and give the command again.": "Free some space, and press the button again.",
        "Say which with --column: {}": "Choose one: {}",
        "Name another with --encoding.": "Save it as CSV in UTF-8.",
        "For example: --encoding utf-8 or windows-1252": "For example: utf-8 or windows-1252",
        "The first row was taken for the header; --no-header says that it is data.": (
            "The first row was taken for the names of the columns; a box on the page says that it is data."
        ),
        "The first row was taken for data; --header says that it names.": (
            "The first row was taken for data; a box on the page says that it names the columns."
        ),
        "Name a CSV file inside it, or run: edgellm batch classify.": "Choose a CSV file inside it.",
        "For example: --labels positive,negative": "For example: positive,negative",
        "There are: {}. Run: edgellm labels": "There are: {}.",
        "Run: edgellm labels": "Choose another one in the list.",
        "Add --force to replace it.": _OTHER_NAME,
        "Add --no-memory, or clear it: translate --forget.": "Switch it off in the settings, or clear it on this page.",
        "For {} to {} run: edgellm models recommend --task translate": _SEARCH,
        "For {} run: edgellm models recommend --task translate": _SEARCH,
        "Run: edgellm models recommend --task summarize": _SEARCH,
        "Translate it afterwards: edgellm translate --to {}": "Translate it afterwards on the Translate page.",
        "It translates between {}; use a larger model with --model FILE.gguf.": (
            "It translates between {}; choose a larger model at the top of the window."
        ),
        "The text may not be {}; say its language with --from.": "The text may not be {}; choose its language.",
        "For anything else use a larger model with --model FILE.gguf.": (
            "For anything else choose a larger model at the top of the window."
        ),
        "{}; --key-sentences 3 shows more.": "{}; the key sentences show more.",
        "The {} most important of the points are shown; --length long shows all.": (
            "The {} most important of the points are shown; the length “Long” shows all."
        ),
        "No question could be made from this text; --style bullets shows its points.": (
            "No question could be made from this text; the form “Bullets” shows its points."
        ),
    }
)


@cache
def _sentences() -> Sentences:
    return Sentences(WORDS, clauses=False)


def in_window(text: str) -> str:
    """A text whose hints say what to do here."""
    return _sentences().say(text) if " " in text else text
