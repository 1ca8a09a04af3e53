"""About how many tokens a text has, by its size alone. In: a size. Out: a number of tokens. Pure."""

CHARACTERS_PER_TOKEN = 4
"""How much text a token holds. Anthropic's own rule of thumb is 3.5 characters of English, and its tokenizer since Opus
4.7 makes about 30 % more tokens of the same text. 4 is the rule elsewhere. It is taken because it errs on one side: a
text has rather more tokens than it says, so that nothing is called long that is not.
https://platform.claude.com/docs/en/about-claude/glossary#tokens
"""


def estimated_tokens(size: int) -> int:
    """The tokens of a text of `size` characters, or of bytes of JSON.

    The base64 of images and PDFs is no text: its tokens have nothing to do with its size.
    """
    return size // CHARACTERS_PER_TOKEN
