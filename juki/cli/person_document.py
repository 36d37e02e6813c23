"""The document at the command line that says who is meant, `juki-person/1`.

Invariants: to the gateway it is named by what it says, so that an operator sees for whom he is authenticated, and his
            assertion is good for no other words. Whom the words find is shown with what is done, and logged.
Source:     docs/formats/person.md, docs/formats/operator-assertion.md section 1.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property

from juki.cli.person_prompt import asked_at_terminal
from juki.cli.private_input import STANDARD_INPUT, PrivateDocument
from juki.person_queries import MAX_QUERY_BYTES, PersonQuery, parse_query


class PersonDocument(PrivateDocument):
    """Who is meant; at a terminal it is asked for, once."""

    def __init__(self, source: str) -> None:
        super().__init__(source, MAX_QUERY_BYTES)

    @cached_property
    def query(self) -> PersonQuery:
        """Who is meant.

        Raises: ContractError(PERSON_QUERY_FORM), and what reading a private document raises.
        """
        is_asked = self.source == STANDARD_INPUT and sys.stdin.isatty()
        return parse_query(asked_at_terminal() if is_asked else self.content)

    def target_words(self) -> Sequence[str]:
        """Name the person to a gateway by what the document says, each key by its name."""
        return self.query.said
