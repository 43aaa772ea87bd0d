"""The rules of a seal use, by theme. A rule is never edited once released, only superseded."""
