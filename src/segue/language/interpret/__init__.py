"""The plain interpreter: what conditions mean, in the simplest code there is."""

from segue.language.interpret.changes import Flip, Step, changes
from segue.language.interpret.due import due_moments
from segue.language.interpret.evaluate import counted, holds, value
from segue.language.interpret.membership import Definition, Noted, Override, membership, needed
from segue.language.interpret.person import Person, Replacement, Rules
from segue.language.interpret.where import event_predicate, pattern_predicate, seen_by_where
from segue.language.reading import literal_holds, read, value_predicate, walk

__all__ = [
    "Definition",
    "Flip",
    "Noted",
    "Override",
    "Person",
    "Replacement",
    "Rules",
    "Step",
    "changes",
    "counted",
    "due_moments",
    "event_predicate",
    "holds",
    "literal_holds",
    "membership",
    "needed",
    "pattern_predicate",
    "read",
    "seen_by_where",
    "value",
    "value_predicate",
    "walk",
]
